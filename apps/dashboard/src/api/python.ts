import type { Http } from './http.ts';

export interface TestCase {
  readonly name: string;
  readonly passed: boolean;
  readonly expected?: string;
  readonly actual?: string;
  readonly error?: string;
}

/** What became of a program. */
export interface ExecutionResult {
  readonly success: boolean;
  readonly output: string;
  readonly errors: string | null;
  readonly executionTime: number;
  readonly testResult: {
    readonly passed: boolean;
    readonly testCases: readonly TestCase[];
    readonly output: string;
    readonly errors: string | null;
  } | null;
  readonly status: string;
  readonly exitCode: number | null;
  readonly error: {
    readonly kind: string;
    readonly type: string;
    readonly message: string;
    readonly line: number | null;
    readonly hint: string | null;
  } | null;
  readonly truncated: { readonly stdout: boolean; readonly stderr: boolean };
  readonly usage: {
    readonly wallMs: number;
    readonly cpuMs: number | null;
    readonly maxRssBytes: number | null;
  };
  readonly sandbox: string;
}

export interface Program {
  readonly code: string;
  readonly testCode?: string;
  readonly exerciseId?: string;
  readonly stdin?: string;
}

/** What a learner is asked. Its tests are not told. */
export interface Exercise {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly starterCode: string;
}

export interface PythonApi {
  exercises(signal?: AbortSignal): Promise<readonly Exercise[]>;
  /** @throws ApiError 404 */
  exercise(id: string, signal?: AbortSignal): Promise<Exercise>;
  execute(program: Program, signal?: AbortSignal): Promise<ExecutionResult>;
}

export function createPythonApi(http: Http): PythonApi {
  return {
    async exercises(signal) {
      const path = '/v1/exercises';
      const answer = await http.json<{ readonly exercises: readonly Exercise[] }>('GET', path, { signal });
      return answer.exercises;
    },
    exercise: async (id, signal) => http.json('GET', `/v1/exercises/${encodeURIComponent(id)}`, { signal }),
    execute: async (body, signal) => http.json('POST', '/execute', { body, signal }),
  };
}
