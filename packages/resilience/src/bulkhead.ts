import {
  checkDurationMs,
  checkInteger,
  checkKnownKeys,
  checkString,
  type Clock,
  type EventSource,
  type Logger,
  PawlError,
  silentLogger,
  systemClock,
} from '@pawl/core';
import { asThrown, CallContext, runAbortable } from './call-context.ts';
import type { CancelScope } from './cancel-scope.ts';
import type { BulkheadEvents } from './events.ts';
import type { Policy } from './policy.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { createPolicyEmitter } from './telemetry.ts';

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
  /** Names it in telemetry. @default 'bulkhead' */
  readonly name?: string;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

export interface BulkheadStats {
  /** Calls whose work has not ended, those included whose caller was answered already. */
  readonly running: number;
  readonly queued: number;
  /** Calls refused, at once or after their wait, since it was made. */
  readonly rejected: number;
}

export interface Bulkhead extends Policy, EventSource<BulkheadEvents> {
  stats(): BulkheadStats;
  /** `stats()` with the name, for a list of them. */
  snapshot(): PolicySnapshot<'bulkhead', BulkheadStats>;
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
  checkKnownKeys('bulkhead', options, ['maxConcurrent', 'maxQueue', 'maxWaitMs', 'name', 'clock', 'logger']);
  const maxConcurrent = checkInteger('maxConcurrent', options.maxConcurrent ?? 10, {
    min: 1,
    infinite: true,
  });
  const maxQueue = checkInteger('maxQueue', options.maxQueue ?? 0, { min: 0, infinite: true });
  const maxWaitMs = checkDurationMs('maxWaitMs', options.maxWaitMs ?? Infinity, { infinite: true });
  const clock = options.clock ?? systemClock;
  const name = checkString('name', options.name ?? 'bulkhead');
  const events = createPolicyEmitter<BulkheadEvents>(name, options.logger ?? silentLogger);
  /** In order of arrival; a set, so that leaving from the middle costs nothing. */
  const queue = new Set<() => void>();
  let running = 0;
  let rejected = 0;

  const stats = (): BulkheadStats => ({ running, queued: queue.size, rejected });

  const refuse = (reason: 'full' | 'wait-timeout', error: Error): Error => {
    rejected += 1;
    events.emit('bulkhead:rejected', { reason, running, queued: queue.size });
    return error;
  };

  const release = (slot: Slot): void => {
    slot.held -= 1;
    if (slot.held > 0) return;
    const [next] = queue;
    if (next === undefined) running -= 1;
    // The slot goes from hand to hand, so that a newcomer can't take it in between.
    else next();
  };

  const waitForTurn = (scope: CancelScope | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(begin);
        timer.cancel();
        scope?.unlisten(onAbort);
      };
      const begin = (): void => {
        leave();
        resolve();
      };
      const onAbort = (reason: unknown): void => {
        leave();
        reject(asThrown(reason));
      };
      queue.add(begin);
      const timer = clock.setTimer(maxWaitMs, () => {
        leave();
        reject(refuse('wait-timeout', new BulkheadWaitTimeoutError(maxWaitMs)));
      });
      scope?.listen(onAbort);
      events.emit('bulkhead:queued', { running, queued: queue.size });
    });

  return {
    on: (event, listener) => events.on(event, listener),
    onAny: (listener) => events.onAny(listener),
    stats,
    snapshot: () => ({ kind: 'bulkhead', name, ...stats() }),
    execute: async (fn, executeOptions) => {
      const context = CallContext.from(executeOptions);
      context.throwIfAborted();
      if (running < maxConcurrent) running += 1;
      else if (queue.size < maxQueue) await waitForTurn(context.scope);
      else throw refuse('full', new BulkheadFullError(maxConcurrent, maxQueue));
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
