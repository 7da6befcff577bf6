import { hasCode, type Random } from '@pawl/core';
import type { AttemptEnd } from './attempt-runner.ts';
import { toRunFailure } from './run-failure.ts';
import type { AttemptOutcome, LossReceipt, Run } from './run.ts';
import type { AttemptEnding } from './run-transitions.ts';
import type { ResolvedTask } from './task-definition.ts';

/**
 * What the end of an attempt means for its run. The only place where errors become outcomes.
 * @param now milliseconds since the epoch
 * @returns undefined when the store had given the attempt up: there is nothing to say then
 */
export function endingOf(
  run: Run,
  task: ResolvedTask,
  end: AttemptEnd,
  { now, random }: { readonly now: number; readonly random: Random },
): AttemptEnding | undefined {
  if (hasCode(end.abortedBy, 'STALE_ATTEMPT')) return undefined;
  const outcome = outcomeOf(end);
  if (outcome === 'succeeded') return { outcome, result: end.result };
  const cause = end.abortedBy ?? end.failure?.error;
  const ending = { outcome, error: outcome === 'stopped' ? undefined : toRunFailure(unwrapped(cause)) };
  if (outcome === 'lost') return { ...ending, ...lossOf(run, task, end, now, random) };
  const isAllowed =
    !end.isAbandoned &&
    (outcome === 'failed' || hasCode(cause, 'RUN_TIMEOUT')) &&
    run.failures + 1 < run.maxAttempts &&
    !hasCode(cause, 'STOP_RETRY', 'RESULT_TOO_LARGE', 'UNKNOWN_TASK') &&
    task.shouldRetry(cause);
  if (!isAllowed) return ending;
  const retryAt = now + (retryAfterOf(cause) ?? retryDelay(run, task, run.failures + 1, random));
  return { ...ending, retryAt: inTime(run, retryAt) };
}

/** What is told of an error: not that it stops the retries, but why. */
function unwrapped(error: unknown): unknown {
  return hasCode(error, 'STOP_RETRY') ? (error as Error).cause : error;
}

/** When a lost run is tried again; undefined when it has been lost too often, or its deadline comes first. */
export function retryAfterLoss(
  run: Run,
  task: ResolvedTask | undefined,
  now: number,
  random: Random,
): number | undefined {
  if (run.losses + 1 >= run.maxLosses) return undefined;
  const delayMs = task === undefined ? 0 : retryDelay(run, task, run.losses + 1, random);
  return inTime(run, now + delayMs);
}

function outcomeOf({ abortedBy, failure }: AttemptEnd): AttemptOutcome {
  if (abortedBy === undefined) return failure === undefined ? 'succeeded' : 'failed';
  if (hasCode(abortedBy, 'RUN_CANCELLED')) return 'cancelled';
  if (hasCode(abortedBy, 'TRACKER_STOPPED')) return 'stopped';
  return hasCode(abortedBy, 'ATTEMPT_LOST') ? 'lost' : 'timed-out';
}

function lossOf(
  run: Run,
  task: ResolvedTask,
  end: AttemptEnd,
  now: number,
  random: Random,
): Pick<AttemptEnding, 'receipt' | 'retryAt'> {
  const attempt = run.attempts.at(-1);
  if (attempt === undefined) return {};
  const receipt: LossReceipt = {
    reason: 'silent',
    host: attempt.host,
    process: attempt.process,
    lastHeartbeatAt: now - task.heartbeatTimeoutMs,
    foundAt: now,
    endedPids: [],
  };
  return { receipt, retryAt: end.isAbandoned ? undefined : retryAfterLoss(run, task, now, random) };
}

/** The wait before the attempt that follows the `failed`th failed one. */
function retryDelay(run: Run, { backoff, jitter }: ResolvedTask, failed: number, random: Random): number {
  const before = run.attempts.at(-2)?.endedAt;
  const previousDelayMs = before === undefined ? undefined : Math.max(0, run.availableAt - before);
  const delayMs = Math.max(0, backoff(failed, { previousDelayMs, random }));
  return jitter === undefined ? delayMs : Math.max(0, jitter(delayMs, random));
}

/** The wait that an error asks for itself. */
function retryAfterOf(error: unknown): number | undefined {
  const { retryAfterMs } = (error ?? {}) as { readonly retryAfterMs?: unknown };
  return typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? retryAfterMs : undefined;
}

function inTime(run: Run, retryAt: number): number | undefined {
  return retryAt < (run.deadlineAt ?? Infinity) ? retryAt : undefined;
}
