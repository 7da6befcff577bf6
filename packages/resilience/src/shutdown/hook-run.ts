import { type Clock, createDeferred } from '@pawl/core';
import type { HookOutcome, ShutdownUrgency } from '../events.ts';
import { TimeoutError } from '../timeout.ts';
import type { Hook, HookContext } from './hook-registry.ts';
import type { HookReport } from './shutdown-report.ts';

/** One hook under way. */
export interface HookRun {
  /** Resolves when the shutdown need not wait for it any more; never rejects. */
  readonly ended: Promise<void>;
  /** Tells it to end in the shortest way. */
  hurry(reason: unknown): void;
  report(): HookReport;
}

/** What a hook may know of the shutdown it runs in. */
export interface ShutdownView {
  readonly reason: unknown;
  readonly urgency: () => ShutdownUrgency;
  readonly remainingMs: () => number;
}

/** Starts a hook. What it throws or rejects with ends up in its report. */
export function runHook(
  hook: Hook,
  shutdown: ShutdownView,
  clock: Clock,
  onEnd: (report: HookReport & { readonly outcome: HookOutcome }) => void,
): HookRun {
  const controller = new AbortController();
  const ended = createDeferred();
  const startedAt = clock.now();
  const { name, phase, timeoutMs } = hook;
  let final: (HookReport & { readonly outcome: HookOutcome }) | undefined;

  const end = (outcome: HookOutcome, failure: { readonly error?: unknown } = {}): void => {
    if (final !== undefined) return;
    timer.cancel();
    final = { name, phase, outcome, durationMs: clock.now() - startedAt, ...failure };
    onEnd(final);
    ended.resolve();
  };
  const timer = clock.setTimer(timeoutMs, () => {
    const error = new TimeoutError(`Shutdown hook "${name}" timed out after ${timeoutMs} ms.`, {
      timeoutMs,
      scope: 'call',
    });
    controller.abort(error);
    end('timed-out', { error });
  });
  const context: HookContext = {
    signal: controller.signal,
    reason: shutdown.reason,
    get urgency() {
      return shutdown.urgency();
    },
    remainingMs: () => shutdown.remainingMs(),
  };
  // The hook begins in this tick, so that what it refuses it refuses from now on.
  void (async () => hook.fn(context))().then(
    () => end('succeeded'),
    (error: unknown) => end('failed', { error }),
  );
  return {
    ended: ended.promise,
    hurry: (reason) => controller.abort(reason),
    report: () => final ?? { name, phase, outcome: 'running', durationMs: clock.now() - startedAt },
  };
}
