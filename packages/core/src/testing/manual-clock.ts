import { setImmediate as nextTurn } from 'node:timers';
import type { Clock } from '../clock.ts';
import { checkDurationMs, checkNumber } from '../option-checks.ts';

export interface ManualClockOptions {
  /** What `now()` says at first, in milliseconds. @default 0 */
  readonly now?: number;
  /** What `wallTime()` says at first, in milliseconds since the epoch. @default 2026-01-01T00:00:00Z */
  readonly wallTime?: number;
}

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves time on by `ms`, firing what falls due on the way in order of due time, then of setting. Before, between
   * and after the fires it lets every settled promise run its continuations, so that a timer set by one of them
   * fires in the same advance if it falls due.
   */
  advance(ms: number): Promise<void>;
  /** Moves to the next due timer and fires it. @returns whether there was one */
  advanceToNext(): Promise<boolean>;
  /** Steps the wall clock alone, as an administrator or NTP would. */
  stepWallTime(ms: number): void;
  /** Lets settled promises run their continuations without moving time. */
  settle(): Promise<void>;
  /** How many timers wait. */
  readonly pendingTimers: number;
  /** When the next timer falls due on `now()`'s scale, or undefined. */
  readonly nextDue: number | undefined;
}

interface PendingTimer {
  readonly due: number;
  readonly fn: () => void;
}

/** 2026-01-01T00:00:00Z. */
const DEFAULT_WALL_TIME = 1_767_225_600_000;

/** Makes a clock for tests: `await clock.advance(500)` takes no time and always does the same. */
export function createManualClock(options: ManualClockOptions = {}): ManualClock {
  let now = checkNumber('now', options.now ?? 0);
  let wallOffset = checkNumber('wallTime', options.wallTime ?? DEFAULT_WALL_TIME) - now;
  // An advance that is called before another is over goes on from where that one will end.
  let goal = now;
  let advancing = 0;
  // Sorted by due time; equal ones in order of setting.
  const pending: PendingTimer[] = [];

  async function advanceTo(target: number): Promise<void> {
    await settle();
    for (let next = pending[0]; next !== undefined && next.due <= target; next = pending[0]) {
      pending.shift();
      now = Math.max(now, next.due);
      next.fn();
      await settle();
    }
    now = Math.max(now, target);
  }

  return {
    now: () => now,
    wallTime: () => now + wallOffset,
    setTimer(delayMs, fn) {
      if (checkNumber('delayMs', delayMs, { infinite: true }) === Infinity)
        return { cancel: () => undefined };
      const timer: PendingTimer = { due: now + Math.max(0, delayMs), fn };
      const at = pending.findIndex((other) => other.due > timer.due);
      pending.splice(at === -1 ? pending.length : at, 0, timer);
      return {
        cancel: () => {
          const index = pending.indexOf(timer);
          if (index !== -1) pending.splice(index, 1);
        },
      };
    },
    async advance(ms) {
      const start = advancing === 0 ? now : goal;
      goal = start + checkDurationMs('ms', ms);
      advancing += 1;
      try {
        await advanceTo(goal);
      } finally {
        advancing -= 1;
      }
    },
    async advanceToNext() {
      await settle();
      const next = pending[0];
      if (next === undefined) return false;
      await advanceTo(Math.max(now, next.due));
      return true;
    },
    stepWallTime(ms) {
      wallOffset += checkNumber('ms', ms);
    },
    settle,
    get pendingTimers() {
      return pending.length;
    },
    get nextDue() {
      return pending[0]?.due;
    },
  };
}

/** Lets every promise that can settle now do so, however long its chain: a whole turn of the real event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => void nextTurn(resolve));
}
