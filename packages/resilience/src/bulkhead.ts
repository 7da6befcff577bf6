import {
  checkDurationMs,
  checkInteger,
  checkKnownKeys,
  type Clock,
  onAbort,
  PawlError,
  systemClock,
} from '@pawl/core';
import { asThrown, CallContext, runAbortable } from './call-context.ts';
import type { Policy } from './policy.ts';

/** As many calls run and wait as may; this one was refused at once. */
export class BulkheadFullError extends PawlError {
  declare readonly code: 'BULKHEAD_FULL';
  readonly maxConcurrent: number;
  readonly maxQueue: number;

  constructor(maxConcurrent: number, maxQueue: number) {
    super(`The bulkhead is full: ${maxConcurrent} running, ${maxQueue} waiting.`, { code: 'BULKHEAD_FULL' });
    this.maxConcurrent = maxConcurrent;
    this.maxQueue = maxQueue;
  }
}

/** A call waited too long for its turn. */
export class BulkheadWaitTimeoutError extends PawlError {
  declare readonly code: 'BULKHEAD_WAIT_TIMEOUT';
  /** Milliseconds. */
  readonly maxWaitMs: number;

  constructor(maxWaitMs: number) {
    super(`Waited ${maxWaitMs} ms in the bulkhead without a turn.`, { code: 'BULKHEAD_WAIT_TIMEOUT' });
    this.maxWaitMs = maxWaitMs;
  }
}

export interface BulkheadOptions {
  /** Calls that run at one time. @default 10 */
  readonly maxConcurrent?: number;
  /** Calls that wait for their turn; more are refused. `0` refuses at once, `Infinity` never. @default 0 */
  readonly maxQueue?: number;
  /** How long a call waits for its turn, in milliseconds. @default Infinity */
  readonly maxWaitMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

export interface BulkheadStats {
  /** Calls whose work has not ended, those included whose caller was answered already. */
  readonly running: number;
  readonly queued: number;
  /** Calls refused because it was full, since it was made. */
  readonly rejected: number;
}

export interface Bulkhead extends Policy {
  stats(): BulkheadStats;
}

/** Work that outlives its call holds the slot until it ends; counted in one object per call. */
interface Slot {
  held: number;
}

/**
 * Limits how many calls run at one time; others wait in order, up to `maxQueue`. A slot is held until the work itself
 * ends, also when its caller was answered before, by an abort or by a timeout inside the bulkhead. A caller that aborts
 * while it waits leaves the queue at once.
 * @throws BulkheadFullError (`code: 'BULKHEAD_FULL'`), BulkheadWaitTimeoutError (`'BULKHEAD_WAIT_TIMEOUT'`) from `execute`
 */
export function bulkhead(options: BulkheadOptions = {}): Bulkhead {
  checkKnownKeys('bulkhead', options, ['maxConcurrent', 'maxQueue', 'maxWaitMs', 'clock']);
  const maxConcurrent = checkInteger('maxConcurrent', options.maxConcurrent ?? 10, {
    min: 1,
    infinite: true,
  });
  const maxQueue = checkInteger('maxQueue', options.maxQueue ?? 0, { min: 0, infinite: true });
  const maxWaitMs = checkDurationMs('maxWaitMs', options.maxWaitMs ?? Infinity, { infinite: true });
  const clock = options.clock ?? systemClock;
  /** In order of arrival; a set, so that leaving from the middle costs nothing. */
  const queue = new Set<() => void>();
  let running = 0;
  let rejected = 0;

  const release = (slot: Slot): void => {
    slot.held -= 1;
    if (slot.held > 0) return;
    const [next] = queue;
    if (next === undefined) running -= 1;
    // The slot goes from hand to hand, so that a newcomer can't take it in between.
    else next();
  };

  const waitForTurn = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(begin);
        timer.cancel();
        unlink();
      };
      const begin = (): void => {
        leave();
        resolve();
      };
      queue.add(begin);
      const timer = clock.setTimer(maxWaitMs, () => {
        leave();
        reject(new BulkheadWaitTimeoutError(maxWaitMs));
      });
      const unlink = onAbort(signal, (reason) => {
        leave();
        reject(asThrown(reason));
      });
    });

  return {
    stats: () => ({ running, queued: queue.size, rejected }),
    execute: async (fn, executeOptions) => {
      const context = CallContext.from(executeOptions);
      if (context.source?.aborted === true) throw asThrown(context.source.reason);
      if (running < maxConcurrent) running += 1;
      else if (queue.size < maxQueue) await waitForTurn(context.source);
      else {
        rejected += 1;
        throw new BulkheadFullError(maxConcurrent, maxQueue);
      }
      const slot: Slot = { held: 1 };
      const end = (): void => release(slot);
      const holding = context.withHold((work) => {
        slot.held += 1;
        work.then(end, end);
      });
      try {
        return await runAbortable(fn, holding);
      } finally {
        end();
      }
    },
  };
}
