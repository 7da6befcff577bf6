import { hasCode } from '@pawl/core';
import { errorCodes, RemoteError } from '@pawl/ipc';

/** How a run ended. `lost`: its worker died with it. */
export type OutcomeStatus = 'succeeded' | 'failed' | 'timed-out' | 'cancelled' | 'lost';

/** Why a run has no result: finer than its status. */
export type OutcomeCause =
  | 'threw'
  | 'invalid'
  | 'refused'
  | 'not-admitted'
  | 'breaker-open'
  | 'poison'
  | 'crashed'
  | 'attempt-timeout'
  | 'deadline'
  | 'cancelled'
  | 'stopped';

/** A kind of failure: what it makes of the run, and whether a retry may hear of it. */
interface FailureKind {
  readonly status: Exclude<OutcomeStatus, 'succeeded'>;
  /** `policy`: the retry decides. `never`: another attempt would end in the same way, or is not wanted. */
  readonly retry: 'policy' | 'never';
  readonly codes: readonly string[];
}

/** Every way a run can end without a result. The only place where errors become outcomes. */
const KINDS: Readonly<Record<OutcomeCause, FailureKind>> = {
  /** The task threw, or something unknown did. */
  threw: { status: 'failed', retry: 'policy', codes: [] },
  /** It can't be run as it was asked for. */
  invalid: {
    status: 'failed',
    retry: 'never',
    codes: [
      'NO_SUCH_TASK',
      'INVALID_INPUT',
      'INVALID_PARAMS',
      'NOT_SERIALIZABLE',
      'RESULT_NOT_SENDABLE',
      'MESSAGE_TOO_LARGE',
      'CACHE_KEY_UNSUPPORTED',
      'TASK_FILE_UNREADABLE',
    ],
  },
  /** No worker had room for it, or none could be started. */
  refused: {
    status: 'failed',
    retry: 'policy',
    codes: [
      'QUEUE_FULL',
      'CRASH_LOOP',
      'WORKER_START_FAILED',
      'BULKHEAD_FULL',
      'BULKHEAD_WAIT_TIMEOUT',
      'RATE_LIMITED',
    ],
  },
  'not-admitted': { status: 'failed', retry: 'never', codes: ['ADMISSION_REFUSED'] },
  'breaker-open': { status: 'failed', retry: 'never', codes: ['CIRCUIT_OPEN'] },
  /** Too many workers have died of it. */
  poison: { status: 'failed', retry: 'never', codes: ['POISON_RUN'] },
  /** Its worker died. */
  crashed: { status: 'lost', retry: 'policy', codes: ['WORKER_CRASHED'] },
  /** One attempt took too long. */
  'attempt-timeout': {
    status: 'timed-out',
    retry: 'policy',
    codes: ['RUN_TIMEOUT', 'TIMEOUT', 'BUDGET_EXCEEDED'],
  },
  /** All of it took too long. */
  deadline: { status: 'timed-out', retry: 'never', codes: [] },
  /** Somebody wanted it no longer. */
  cancelled: { status: 'cancelled', retry: 'never', codes: ['CANCELLED'] },
  /** What it ran in was stopped, for no fault of the run. */
  stopped: { status: 'cancelled', retry: 'never', codes: ['POOL_STOPPED', 'EXECUTOR_STOPPED'] },
};

export const OUTCOME_CAUSES: readonly OutcomeCause[] = Object.freeze(Object.keys(KINDS) as OutcomeCause[]);

const CAUSE_OF = new Map<string, OutcomeCause>(
  OUTCOME_CAUSES.flatMap((cause) => KINDS[cause].codes.map((code): [string, OutcomeCause] => [code, cause])),
);

/**
 * What kind of end an error is.
 * @param cut what else is known: the run's own signal, and whether its deadline has passed
 */
export function causeOf(
  error: unknown,
  cut: {
    readonly signal?: Pick<AbortSignal, 'aborted' | 'reason'> | undefined;
    readonly isOverdue?: boolean;
  } = {},
): OutcomeCause {
  // Once it was cut, whatever came of it is the cut: a cancelled task may well say that it failed.
  const { signal, isOverdue = false } = cut;
  if (signal?.aborted === true) return hasCode(signal.reason, 'EXECUTOR_STOPPED') ? 'stopped' : 'cancelled';
  if (isOverdue) return 'deadline';
  // The code of an error that a task throws is the task's own affair.
  if (error instanceof RemoteError && error.rpcCode === errorCodes.taskFailed) return 'threw';
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
  return CAUSE_OF.get(String(code)) ?? 'threw';
}

export function statusOf(cause: OutcomeCause): Unsuccessful['status'] {
  return KINDS[cause].status;
}

/** Whether no retry policy is asked about it. */
export function isFinal(error: unknown): boolean {
  return KINDS[causeOf(error)].retry === 'never';
}

/** A step on the way of a run. `retry`: the pause between two attempts. */
export type ExecutionStage = 'cache' | 'admission' | 'retry' | 'breaker' | 'queue' | 'worker';

/** In the order in which a run meets them. */
export const EXECUTION_STAGES: readonly ExecutionStage[] = Object.freeze([
  'cache',
  'admission',
  'retry',
  'breaker',
  'queue',
  'worker',
]);

interface OutcomeFacts {
  readonly runId: string;
  readonly task: string;
  /** How many times it was tried; 0 when the result came from the cache or the run ended before its first try. */
  readonly attempts: number;
  /** From the call to the outcome, in milliseconds: waiting, all attempts and the pauses between them. */
  readonly durationMs: number;
  /** The W3C `traceparent` it ran under, if it had one. */
  readonly trace: string | undefined;
}

export interface Succeeded extends OutcomeFacts {
  readonly status: 'succeeded';
  readonly value: unknown;
  /** Whether the value was there already and no worker ran. */
  readonly cached: boolean;
  /** Whether it is the result of another run that was under way with the same key. */
  readonly shared: boolean;
}

export interface Unsuccessful extends OutcomeFacts {
  readonly status: Exclude<OutcomeStatus, 'succeeded'>;
  readonly cause: OutcomeCause;
  /** Where it ended. */
  readonly stage: ExecutionStage;
  /** What ended it, as it was thrown. */
  readonly error: unknown;
  /** What the last attempt failed with, when the run ended of something else, such as its deadline, after it. */
  readonly lastError: unknown;
  readonly cached: false;
  readonly shared: false;
}

/** How a run ended and what came of it. */
export type Outcome = Succeeded | Unsuccessful;
