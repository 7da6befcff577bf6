import type { Attempt, AttemptOutcome, HostIdentity, NewRun, ProcessIdentity, Run } from './run.ts';
import type { LossReceipt, RunFailure } from './run.ts';
import { checkMove, isFinal, type RunState } from './run-state.ts';
import { StaleAttemptError } from './tracking-errors.ts';

/** How an attempt ended, for {@link settleRun}. */
export interface AttemptEnding {
  readonly outcome: AttemptOutcome;
  /** Of a succeeded attempt: any JSON. */
  readonly result?: unknown;
  readonly error?: RunFailure | undefined;
  /** Of a lost attempt. */
  readonly receipt?: LossReceipt | undefined;
  /** Queues the run again for this moment, in milliseconds since the epoch. Without it the outcome is final. */
  readonly retryAt?: number | undefined;
  /** What the task reported since the last heartbeat; left out to keep what is stored. */
  readonly progress?: unknown;
}

/** What a heartbeat says of an attempt. */
export interface Beat {
  readonly id: string;
  readonly fence: number;
  /** What the task reported since the last one; left out to keep what is stored. */
  readonly progress?: unknown;
}

/** So that a run which is retried for ever does not grow for ever. */
const MAX_KEPT_ATTEMPTS = 20;

// Every change of a run is one of these functions. A store reads the run, applies one, and writes what it gives, all
// in one transaction; so no store can make a move that another would refuse.

export function queueRun(draft: NewRun): Run {
  return {
    ...draft,
    state: 'queued',
    fence: 0,
    attempts: [],
    failures: 0,
    losses: 0,
    startedAt: undefined,
    endedAt: undefined,
    heartbeatAt: undefined,
    cancelRequestedAt: undefined,
    cancelReason: undefined,
    progress: undefined,
    result: undefined,
    error: undefined,
  };
}

/** `queued → running`: begins an attempt. @throws IllegalMoveError */
export function claimRun(run: Run, host: HostIdentity, now: number): Run {
  const attempt: Attempt = {
    fence: run.fence + 1,
    number: run.failures + 1,
    host,
    process: undefined,
    startedAt: now,
    endedAt: undefined,
    outcome: undefined,
    error: undefined,
    receipt: undefined,
  };
  return {
    ...moved(run, 'running'),
    fence: attempt.fence,
    attempts: [...run.attempts, attempt].slice(-MAX_KEPT_ATTEMPTS),
    startedAt: run.startedAt ?? now,
    heartbeatAt: now,
    progress: undefined,
  };
}

/** `queued → timed-out`: its deadline came first. @throws IllegalMoveError */
export function expireRun(run: Run, now: number, error: RunFailure): Run {
  return { ...moved(run, 'timed-out'), endedAt: now, error };
}

/** A queued run is `cancelled`; a running one is noted down, and can end in no other way; an ended one stays. */
export function cancelRun(run: Run, now: number, reason: string | undefined): Run {
  if (isFinal(run.state) || run.cancelRequestedAt !== undefined) return run;
  const request = { cancelRequestedAt: now, cancelReason: reason };
  if (run.state === 'running') return { ...run, ...request };
  return { ...moved(run, 'cancelled'), ...request, endedAt: now };
}

/**
 * Ends the attempt under way, and with it the run, or queues the run again.
 * @throws StaleAttemptError when another attempt has begun since, or the run has ended
 */
export function settleRun(run: Run, fence: number, now: number, ending: AttemptEnding): Run {
  const { outcome, error, receipt, retryAt } = ending;
  const attempt = { ...attemptUnderWay(run, fence), endedAt: now, outcome, error, receipt };
  const state = stateAfter(run, ending);
  const isOver = state !== 'queued';
  return {
    ...moved(run, state),
    attempts: [...run.attempts.slice(0, -1), attempt],
    failures: run.failures + (outcome === 'failed' || outcome === 'timed-out' ? 1 : 0),
    losses: run.losses + (outcome === 'lost' ? 1 : 0),
    availableAt: isOver ? run.availableAt : (retryAt ?? now),
    endedAt: isOver ? now : undefined,
    heartbeatAt: isOver ? run.heartbeatAt : undefined,
    progress: 'progress' in ending ? ending.progress : run.progress,
    result: state === 'succeeded' ? ending.result : undefined,
    error: state === 'succeeded' ? undefined : (error ?? run.error),
  };
}

/** @throws StaleAttemptError */
export function beatRun(run: Run, now: number, beat: Beat): Run {
  attemptUnderWay(run, beat.fence);
  return { ...run, heartbeatAt: now, progress: 'progress' in beat ? beat.progress : run.progress };
}

/** Notes down what the attempt started. @throws StaleAttemptError */
export function noteProcess(run: Run, fence: number, process: ProcessIdentity): Run {
  const attempt = { ...attemptUnderWay(run, fence), process };
  return { ...run, attempts: [...run.attempts.slice(0, -1), attempt] };
}

/** A cancel that was answered beats whatever the attempt came to. */
function stateAfter(run: Run, { outcome, retryAt }: AttemptEnding): RunState {
  if (run.cancelRequestedAt !== undefined) return 'cancelled';
  if (outcome === 'stopped') return 'queued';
  return retryAt === undefined ? outcome : 'queued';
}

function attemptUnderWay(run: Run, fence: number): Attempt {
  const attempt = run.attempts.at(-1);
  if (run.state !== 'running' || attempt === undefined || attempt.fence !== fence) {
    throw new StaleAttemptError(run.id, fence, run.fence, run.state);
  }
  return attempt;
}

function moved(run: Run, state: RunState): Run {
  checkMove(run.id, run.state, state);
  return { ...run, state };
}
