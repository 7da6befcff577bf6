import type { Hello, VersionRange, Welcome } from './handshake.ts';
import type { InputIssue } from './ipc-errors.ts';
import { defineProtocol, type Protocol } from './protocol.ts';

/** Parameters of `run`. */
export interface RunParams {
  /** One of the `tasks` of `hello`. */
  readonly task: string;
  readonly input?: unknown;
  /** Names the run for logs; the same in all its attempts. */
  readonly runId?: string;
  /** Which try this is, from 1. */
  readonly attempt?: number;
  /** How much time was left when this was sent, in milliseconds. Absent: no limit. */
  readonly budgetMs?: number;
  /** A W3C `traceparent`. Absent: none. */
  readonly trace?: string;
  /** How many chunks the caller takes at first. Absent: it takes none. */
  readonly credit?: number;
}

/** Parameters of `progress`, besides the `id` of the request. */
export interface RunProgress {
  /** From 0 to 1. */
  readonly value?: number;
  readonly step?: number;
  readonly total?: number;
  readonly message?: string;
  readonly data?: unknown;
}

/** Parameters of `chunk`, besides the `id` of the request. */
export interface RunChunk {
  /** Counts from 0. */
  readonly seq: number;
  readonly data: unknown;
}

/** Parameters of `log`. */
export interface WorkerLog {
  readonly level: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** The result of `validate`. */
export interface Validation {
  readonly valid: boolean;
  readonly issues: readonly InputIssue[];
}

/** The result of `ping`. Only `pid` is sure to be there. */
export interface Pong {
  readonly pid: number;
  readonly uptimeMs?: number;
  readonly rssBytes?: number;
  readonly runsActive?: number;
  readonly runsDone?: number;
  readonly runsFailed?: number;
  /** How long the worker's main loop has been blocked, in milliseconds. */
  readonly lagMs?: number;
}

/** The worker protocol of docs/protocol.md as a contract. */
export interface WorkerProtocol {
  readonly worker: {
    readonly methods: {
      readonly run: {
        readonly params: RunParams;
        readonly result: unknown;
        readonly notifications: {
          readonly progress: RunProgress;
          readonly chunk: RunChunk;
          readonly log: WorkerLog;
        };
      };
      readonly validate?: {
        readonly params: { readonly task: string; readonly input?: unknown };
        readonly result: Validation;
      };
      readonly ping: { readonly result: Pong };
      /** Gives back runs that have not begun, of those asked for. */
      readonly withdraw?: {
        readonly params: { readonly ids: readonly number[] };
        readonly result: { readonly withdrawn: readonly number[] };
      };
      /** Where the main thread is, or null. */
      readonly stack?: { readonly result: string | null };
    };
    readonly notifications: {
      readonly welcome: Welcome;
      readonly refuse: { readonly reason: string; readonly supported: VersionRange };
      readonly cancel: { readonly id: number; readonly reason: string; readonly graceMs?: number };
      readonly credit: { readonly id: number; readonly n: number };
      readonly shutdown: { readonly graceMs: number };
    };
  };
  readonly host: {
    readonly notifications: { readonly hello: Hello; readonly log: WorkerLog };
  };
}

/** Types for a connection that speaks the worker protocol: `workerProtocol.asHost(connection).request('ping')`. */
export const workerProtocol: Protocol<WorkerProtocol> = defineProtocol<WorkerProtocol>();
