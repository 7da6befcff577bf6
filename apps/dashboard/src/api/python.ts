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

export interface PythonApi {
  execute(program: Program, signal?: AbortSignal): Promise<ExecutionResult>;
}

export function createPythonApi(http: Http): PythonApi {
  return {
    execute: async (body, signal) => http.json('POST', '/execute', { body, signal }),
  };
}
