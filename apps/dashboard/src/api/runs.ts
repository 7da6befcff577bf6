import type { Http } from './http.ts';

export const RUN_STATES = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'timed-out',
  'lost',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** Whether a run of that state will change no more. */
export const isEnded = (state: RunState): boolean => state !== 'queued' && state !== 'running';

export interface RunError {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  readonly stack: string | null;
}

/** One try of a run. */
export interface RunAttempt {
  readonly number: number;
  readonly fence: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly outcome: string | null;
  readonly error: RunError | null;
  readonly pid: number | null;
  readonly host: string | null;
  readonly receipt: LossReceipt | null;
}

/** What is known of an attempt whose end nobody saw. */
export interface LossReceipt {
  readonly reason: string;
  readonly host: string;
  readonly pid: number | null;
  readonly lastHeartbeatAt: string;
  readonly foundAt: string;
  /** Processes of the attempt that still ran and were ended. */
  readonly endedPids: readonly number[];
}

export interface LogLine {
  readonly at: string;
  readonly stream: 'stdout' | 'stderr';
  readonly level: string;
  readonly text: string;
}

/** A run as lists and events have it. */
export interface RunSummary {
  readonly id: string;
  readonly task: string;
  readonly title: string;
  readonly state: RunState;
  readonly priority: number;
  readonly key: string | null;
  /** The id of the schedule whose slot it has. */
  readonly schedule: string | null;
  readonly createdAt: string;
  readonly availableAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly deadlineAt: string | null;
  readonly durationMs: number | null;
  readonly timeoutMs: number | null;
  readonly maxAttempts: number;
  readonly attempt: number;
  readonly progress: unknown;
  readonly error: RunError | null;
  readonly cancelReason: string | null;
  readonly waitingFor: string | null;
  readonly pid: number | null;
  readonly host: string | null;
  readonly heartbeatAt: string | null;
  readonly idempotencyKey: string | null;
  /** Of its process, if that ended by itself. */
  readonly exitCode: number | null;
  /** What ended its process. */
  readonly signal: string | null;
  readonly lastLine: LogLine | null;
}

/** A run, whole. */
export interface RunView extends RunSummary {
  readonly input: unknown;
  readonly result: unknown;
  readonly attempts: readonly RunAttempt[];
}

/** What to run: exactly one of the four. */
export interface RunWork {
  readonly script?: { readonly path: string; readonly args?: readonly string[]; readonly cwd?: string };
  readonly command?: { readonly file: string; readonly args?: readonly string[]; readonly cwd?: string };
  readonly python?: { readonly code: string; readonly testCode?: string; readonly stdin?: string };
  readonly module?: { readonly id: string; readonly parameters?: Readonly<Record<string, unknown>> };
}

export interface RunRequest extends RunWork {
  readonly priority?: number;
  readonly key?: string;
  readonly delayMs?: number;
  readonly timeoutMs?: number;
  readonly maxAttempts?: number;
}

export interface RunPage {
  readonly runs: readonly RunSummary[];
  readonly nextCursor: string | null;
}

export interface RunQuery {
  readonly state?: string;
  readonly task?: string;
  readonly key?: string;
  readonly schedule?: string;
  readonly createdFrom?: string;
  readonly createdBefore?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

export interface BatchResult {
  readonly run?: RunSummary;
  readonly error?: { readonly detail: string };
}

/** How many runs there are of each state, among others. */
export type RunCounts = Readonly<Record<string, number>>;

export interface RunsApi {
  counts(signal?: AbortSignal): Promise<RunCounts>;
  list(query: RunQuery, signal?: AbortSignal): Promise<RunPage>;
  get(id: string, signal?: AbortSignal): Promise<RunView>;
  /** Waits up to `waitSeconds` for its end before it answers. */
  submit(request: RunRequest, waitSeconds?: number): Promise<RunView>;
  submitAll(requests: readonly RunRequest[]): Promise<readonly BatchResult[]>;
  cancel(id: string, reason?: string): Promise<RunView>;
  /** A new run with the same request. */
  retry(id: string): Promise<RunView>;
  delete(id: string): Promise<void>;
  /** A stream of the run's output, from a byte offset on. */
  openLog(
    id: string,
    attempt: number | undefined,
    from: string | undefined,
    signal: AbortSignal,
  ): Promise<Response>;
  /** All that a stream printed, byte for byte. */
  download(id: string, stream: 'stdout' | 'stderr', attempt: number | undefined): Promise<Blob>;
}

const pathOf = (id: string): string => `/v1/runs/${encodeURIComponent(id)}`;

export function createRunsApi(http: Http): RunsApi {
  return {
    counts: async (signal) => http.json('GET', '/v1/runs/counts', { signal }),
    list: async (query, signal) => http.json('GET', '/v1/runs', { query: { ...query }, signal }),
    get: async (id, signal) => http.json('GET', pathOf(id), { signal }),
    submit: async (body, waitSeconds) =>
      http.json('POST', '/v1/runs', {
        body,
        headers: waitSeconds === undefined ? {} : { prefer: `wait=${waitSeconds}` },
      }),
    async submitAll(runs) {
      const answer = await http.json<{ results: readonly BatchResult[] }>('POST', '/v1/runs/batch', {
        body: { runs },
      });
      return answer.results;
    },
    cancel: async (id, reason) =>
      http.json('POST', `${pathOf(id)}/cancel`, { body: reason === undefined ? {} : { reason } }),
    retry: async (id) => http.json('POST', `${pathOf(id)}/retry`, { body: {} }),
    delete: async (id) => http.json('DELETE', pathOf(id)),
    openLog: async (id, attempt, from, signal) =>
      http.send('GET', `${pathOf(id)}/logs/stream`, {
        query: { attempt },
        headers: from === undefined ? {} : { 'last-event-id': from },
        signal,
      }),
    async download(id, stream, attempt) {
      const response = await http.send('GET', `${pathOf(id)}/logs/download`, { query: { stream, attempt } });
      return response.blob();
    },
  };
}
