import {
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkString,
  type Clock,
  type EventSource,
  type Logger,
  silentLogger,
  systemClock,
} from '@pawl/core';
import { CallContext } from './call-context.ts';
import type { HedgeEvents } from './events.ts';
import { type HedgeCounts, HedgeRun, type ResolvedHedgeOptions } from './hedge-run.ts';
import type { Policy } from './policy.ts';
import { checkBudget, type RetryBudget } from './retry/budget.ts';
import { isRetryable } from './retry/retryable.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { createPolicyEmitter } from './telemetry.ts';

export interface HedgeOptions {
  /**
   * How long to wait for the calls under way before one more is made, in milliseconds: about the time that 95 of 100
   * calls take, so that a twentieth is made twice. `0` makes all at once, `Infinity` makes one only when the latest
   * failed. A function gets the number of the hedge, from 1. @default 2_000
   */
  readonly delayMs?: number | ((hedge: number) => number);
  /** How many calls there may be besides the original. @default 1 */
  readonly maxHedges?: number;
  /**
   * Whether another call makes sense after an error; then it is made at once. An error it says no to is thrown at
   * once, and the other calls are aborted. Not asked about refusals of an inner policy: after one no more hedges are
   * made, and the calls under way go on. @default isRetryable
   */
  readonly shouldHedge?: (error: unknown) => boolean;
  /** Limits the hedges of everything that shares it, and retries. @default none */
  readonly budget?: RetryBudget;
  /** Names it in telemetry. @default 'hedge' */
  readonly name?: string;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

export interface HedgeStats extends HedgeCounts {
  /** `hedges / calls`, 0 without calls: by how much it adds to the load. */
  readonly hedgeRate: number;
}

export interface HedgePolicy extends Policy, EventSource<HedgeEvents> {
  stats(): HedgeStats;
  /** `stats()` with the name, for a list of them. */
  snapshot(): PolicySnapshot<'hedge', HedgeStats>;
}

/**
 * Calls the work once more when it takes long, and answers with whichever call succeeds first. The others' signals
 * abort, and a result that still comes of them is disposed of. When all fail, the call rejects with the last error.
 * Only for work that may be done twice.
 */
export function hedge(options: HedgeOptions = {}): HedgePolicy {
  const resolved = resolveHedgeOptions(options);
  const { name, budget } = resolved;
  const events = createPolicyEmitter<HedgeEvents>(name, options.logger ?? silentLogger);
  const counts = { calls: 0, hedges: 0, won: 0, refused: 0 };
  const stats = (): HedgeStats => ({
    ...counts,
    hedgeRate: counts.calls === 0 ? 0 : counts.hedges / counts.calls,
  });
  return {
    on: (event, listener) => events.on(event, listener),
    onAny: (listener) => events.onAny(listener),
    stats,
    snapshot: () => ({ kind: 'hedge', name, ...stats() }),
    execute: async (fn, executeOptions) => {
      const context = CallContext.from(executeOptions);
      context.throwIfAborted();
      counts.calls += 1;
      return new HedgeRun(fn, context.countedIn(budget), resolved, events, counts).run();
    },
  };
}

function resolveHedgeOptions(options: HedgeOptions): ResolvedHedgeOptions {
  const known = ['delayMs', 'maxHedges', 'shouldHedge', 'budget', 'name', 'clock', 'logger'];
  checkKnownKeys('hedge', options, known);
  const { delayMs = 2_000, budget } = options;
  if (typeof delayMs !== 'function') checkDurationMs('delayMs', delayMs, { infinite: true });
  if (budget !== undefined) checkBudget(budget);
  return {
    delayFor: typeof delayMs === 'function' ? delayMs : () => delayMs,
    maxHedges: checkInteger('maxHedges', options.maxHedges ?? 1, { min: 1 }),
    shouldHedge: checkFunction('shouldHedge', options.shouldHedge ?? isRetryable),
    budget,
    name: checkString('name', options.name ?? 'hedge'),
    clock: options.clock ?? systemClock,
  };
}
