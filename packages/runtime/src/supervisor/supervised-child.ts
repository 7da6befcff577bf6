import { type Clock, type Logger, PawlError, type Timer, untilAborted } from '@pawl/core';
import type { ResolvedChildSpec, RunningChild } from './child-spec.ts';

/**
 * The life of a child.
 *
 * ```text
 * idle ─▶ starting ─▶ running ─▶ stopping ─▶ waiting | stopped
 *            │           │                      │
 *            ▼           ▼                      ▼
 *         failed ◀───────┴─▶ ended           starting
 *            └─▶ starting
 * ```
 *
 * `failed` is to be started again, and `waiting` with it; `ended` is not.
 */
export type ChildState =
  | 'idle'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'waiting'
  | 'failed'
  | 'ended'
  | 'stopped';

/** One child as a status tells of it. */
export interface ChildStatus {
  readonly id: string;
  readonly state: ChildState;
  /** How often it was started, in vain or not. */
  readonly starts: number;
  /** Since it last ran for a healthy time. */
  readonly failuresInRow: number;
  /** What it failed of last. */
  readonly lastError: Error | undefined;
}

export interface ChildHooks {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly healthyMs: number;
  onStarted(child: SupervisedChild): void;
  /** It ended although nobody had asked it to. `error` is set when it failed. */
  onExit(child: SupervisedChild, error: Error | undefined): void;
  /** It has been running for a healthy time. */
  onHealthy(child: SupervisedChild): void;
}

export interface SupervisedChild {
  readonly spec: ResolvedChildSpec;
  readonly status: ChildStatus;
  readonly state: ChildState;
  readonly failuresInRow: number;
  /** Resolves when it runs. @throws what the start threw, and is `failed` then */
  start(signal: AbortSignal): Promise<void>;
  /** Ends it, if it runs. @returns whether it took force, or threw */
  stop(graceMs: number, next: 'waiting' | 'stopped'): Promise<boolean>;
  /** It failed, and is to be started again. */
  fail(error: Error): void;
}

export function createSupervisedChild(spec: ResolvedChildSpec, hooks: ChildHooks): SupervisedChild {
  const { clock, logger } = hooks;
  let state: ChildState = 'idle';
  let running: RunningChild | undefined;
  let healthyTimer: Timer | undefined;
  let starts = 0;
  let failuresInRow = 0;
  let lastError: Error | undefined;

  function follow(begun: RunningChild): void {
    const ended = (error: Error | undefined): void => {
      // One that is being stopped, or was abandoned, ends as asked.
      if (running !== begun || state !== 'running') return;
      running = undefined;
      healthyTimer?.cancel();
      state = 'ended';
      hooks.onExit(child, error);
    };
    begun.exited.then(
      (how) => ended(failureOf(spec.id, how)),
      (error: unknown) => ended(asError(error)),
    );
  }

  /** A start that nobody waits for any more may still succeed. */
  function abandon(starting: Promise<RunningChild>): void {
    starting
      .then((late) => late.stop({ graceMs: 0 }))
      .catch((error: unknown) => {
        logger.debug({ err: error, childId: spec.id }, 'A start that was given up failed.');
      });
  }

  const child: SupervisedChild = {
    spec,
    get state() {
      return state;
    },
    get failuresInRow() {
      return failuresInRow;
    },
    get status() {
      return { id: spec.id, state, starts, failuresInRow, lastError };
    },
    async start(signal) {
      state = 'starting';
      const starting = Promise.resolve().then(() => spec.start({ signal, starts }));
      starts += 1;
      try {
        running = await untilAborted(starting, signal);
      } catch (error) {
        if (signal.aborted) abandon(starting);
        state = 'failed';
        throw error;
      }
      state = 'running';
      healthyTimer = clock.setTimer(
        hooks.healthyMs,
        () => {
          failuresInRow = 0;
          hooks.onHealthy(child);
        },
        { keepAlive: false },
      );
      hooks.onStarted(child);
      follow(running);
    },
    async stop(graceMs, next) {
      const ending = running;
      if (ending === undefined) {
        if (state !== 'ended') state = next;
        return false;
      }
      running = undefined;
      healthyTimer?.cancel();
      state = 'stopping';
      try {
        return wasForced(await ending.stop({ graceMs: Math.min(graceMs, spec.stopGraceMs) }));
      } catch (error) {
        logger.error({ err: error, childId: spec.id }, 'A child failed to stop.');
        return true;
      } finally {
        // One that nobody starts again has come to its end.
        state = next === 'waiting' && spec.restart === 'temporary' ? 'ended' : next;
      }
    },
    fail(error) {
      state = 'failed';
      failuresInRow += 1;
      lastError = error;
    },
  };
  return child;
}

/** What processes say of their end. Anything else is an end as it should be. */
function failureOf(id: string, how: unknown): Error | undefined {
  const { exitCode, signal } = (how ?? {}) as { readonly exitCode?: unknown; readonly signal?: unknown };
  if (typeof signal === 'string') return childError(id, `was killed by ${signal}`);
  return typeof exitCode === 'number' && exitCode !== 0
    ? childError(id, `exited with code ${exitCode}`)
    : undefined;
}

export function childError(id: string, what: string): PawlError {
  return new PawlError(`Child ${id} ${what}.`, { code: 'CHILD_FAILED' });
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Of a process: `forced`. Of a service: not `drained`. */
function wasForced(report: unknown): boolean {
  const { forced, drained } = (report ?? {}) as { readonly forced?: unknown; readonly drained?: unknown };
  return forced === true || drained === false;
}
