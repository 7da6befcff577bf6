import {
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkOneOf,
  type Clock,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '@pawl/core';
import { type Backoff, exponentialBackoff, type Jitter, proportionalJitter } from '@pawl/resilience';
import type { ChildSpec } from './child-spec.ts';

/**
 * Who is started again when one child fails: that one alone, all, or that one and those listed after it. The others of
 * a group are stopped first, in reverse.
 */
export type SupervisorStrategy = 'one-for-one' | 'one-for-all' | 'rest-for-one';

export interface SupervisorOptions {
  /** What to keep running, in the order of starting. */
  readonly children: readonly ChildSpec[];
  /** @default 'one-for-one' */
  readonly strategy?: SupervisorStrategy;
  /** Failures of all children together that are allowed within `withinMs`; one more is a crash loop. @default 3 */
  readonly maxRestarts?: number;
  /** The window of `maxRestarts`, and how long a crash loop stays open before it is probed. @default 60000 */
  readonly withinMs?: number;
  /**
   * What becomes of a crash loop. `'probe'`: the failed are left alone for `withinMs`, then one is tried; if it stays
   * up for `healthyMs` the loop is over. `'stop'`: the supervisor stops and fails itself, so that the one above it
   * decides. @default 'probe'
   */
  readonly afterCrashLoop?: 'probe' | 'stop';
  /** The wait before a restart, by the failures of the child in a row. @default 100 ms, doubled up to 5 s */
  readonly backoff?: Backoff;
  /** Spreads the waits; `false` does not. @default ±20 % */
  readonly jitter?: Jitter | false;
  /** A child that has run so long is healthy: its backoff begins anew. @default 10000 */
  readonly healthyMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default systemRandom */
  readonly random?: Random;
  /** @default silentLogger */
  readonly logger?: Logger;
}

export interface ResolvedSupervisorOptions {
  readonly children: readonly ChildSpec[];
  readonly strategy: SupervisorStrategy;
  readonly maxRestarts: number;
  readonly withinMs: number;
  readonly afterCrashLoop: 'probe' | 'stop';
  readonly backoff: Backoff;
  readonly jitter: Jitter | undefined;
  readonly healthyMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const KEYS: readonly (keyof SupervisorOptions)[] = [
  'children',
  'strategy',
  'maxRestarts',
  'withinMs',
  'afterCrashLoop',
  'backoff',
  'jitter',
  'healthyMs',
  'clock',
  'random',
  'logger',
];

export function resolveSupervisorOptions(options: SupervisorOptions): ResolvedSupervisorOptions {
  checkKnownKeys('createSupervisor', options, KEYS);
  const { jitter = proportionalJitter() } = options;
  return {
    children: options.children,
    strategy: checkOneOf('strategy', options.strategy ?? 'one-for-one', [
      'one-for-one',
      'one-for-all',
      'rest-for-one',
    ]),
    maxRestarts: checkInteger('maxRestarts', options.maxRestarts ?? 3, { min: 0, infinite: true }),
    withinMs: checkDurationMs('withinMs', options.withinMs ?? 60_000, { min: 1 }),
    afterCrashLoop: checkOneOf('afterCrashLoop', options.afterCrashLoop ?? 'probe', ['probe', 'stop']),
    backoff: checkFunction(
      'backoff',
      options.backoff ?? exponentialBackoff({ initialMs: 100, maxMs: 5_000 }),
    ),
    jitter: jitter === false ? undefined : checkFunction('jitter', jitter),
    healthyMs: checkDurationMs('healthyMs', options.healthyMs ?? 10_000),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    logger: options.logger ?? silentLogger,
  };
}
