import { checkNumber } from './option-checks.ts';

/** A pending call made by {@link Clock.setTimer}. */
export interface Timer {
  /** Forgets the call. Harmless after it fired or was cancelled. */
  cancel(): void;
}

export interface TimerOptions {
  /**
   * Whether the pending timer keeps the process running.
   * @default true
   */
  readonly keepAlive?: boolean;
}

/**
 * Where Pawl takes time from. Pass your own to make code deterministic: `createManualClock()` from
 * `@pawl/core/testing` is one.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start; never steps back. Fractions are allowed. */
  now(): number;
  /** Milliseconds since the Unix epoch. Steps with the system clock, so never subtract two of them. */
  wallTime(): number;
  /**
   * Calls `fn` once, `delayMs` from now, never in this same tick. Any length is honoured, also beyond the 24.8 days
   * of `setTimeout`; `Infinity` never fires and holds nothing, and what lies in the past fires at once.
   * The system clock may be up to a millisecond early on the scale of `now()`, as Node's own timers are.
   * @throws TypeError when `delayMs` is no number
   */
  setTimer(delayMs: number, fn: () => void, options?: TimerOptions): Timer;
}

/** The longest delay `setTimeout` takes; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

const NEVER: Timer = { cancel: () => undefined };

/** The timers of a system clock. */
export interface SystemTimers {
  readonly setTimeout: (fn: () => void, delayMs: number) => NodeJS.Timeout;
  readonly clearTimeout: (timer: NodeJS.Timeout) => void;
}

/** The clock of this machine by other timers than the globals of the moment. */
export function createSystemClock(timers: SystemTimers): Clock {
  return {
    now: () => performance.now(),
    wallTime: () => Date.now(),
    setTimer(delayMs, fn, options) {
      if (checkNumber('delayMs', delayMs, { infinite: true }) === Infinity) return NEVER;
      // Rounded up, because `setTimeout` cuts the fraction off.
      let remainingMs = Math.max(0, Math.ceil(delayMs));
      let handle: NodeJS.Timeout;
      const arm = (): void => {
        const stepMs = Math.min(remainingMs, LONGEST_TIMEOUT_MS);
        remainingMs -= stepMs;
        handle = timers.setTimeout(() => (remainingMs > 0 ? arm() : fn()), stepMs);
        if (options?.keepAlive === false) handle.unref();
      };
      arm();
      return { cancel: () => timers.clearTimeout(handle) };
    },
  };
}

/** The clock of this machine. Looks its timers up at call time, so fake timers of test runners apply. */
export const systemClock: Clock = createSystemClock(globalThis);

export interface SleepOptions extends TimerOptions {
  /** Ends the sleep early: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves `delayMs` from now on `clock`.
 * @throws the reason of `options.signal`, within a tick of its abort
 */
export function sleep(clock: Clock, delayMs: number, options: SleepOptions = {}): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(
      delayMs,
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      options,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
