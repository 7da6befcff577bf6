import { checkDurationMs, checkInteger, checkKnownKeys, checkNumber } from '@pawl/core';
import { DEFAULT_HEALTH_LIMITS, type HealthLimits } from './health.ts';

/** When a worker of a pool is not healthy. The memory that asks for a replacement is the pool's `maxWorkerRssBytes`. */
export type HealthOptions = Omit<HealthLimits, 'maxRssBytes'>;

const KEYS: readonly (keyof HealthOptions)[] = [
  'maxMissedPings',
  'maxLagMs',
  'killRssBytes',
  'stuckFactor',
  'stuckMinMs',
  'maxFailureRate',
  'forgetMs',
  'recoverAfter',
];

/** @throws TypeError, RangeError */
export function resolveHealthOptions(health: HealthOptions, maxRssBytes: number): Required<HealthLimits> {
  checkKnownKeys('health', health, KEYS);
  const limits = { ...DEFAULT_HEALTH_LIMITS, ...health };
  return {
    // What is killed for its memory has too much of it, also where nothing is replaced for it.
    maxRssBytes: Math.min(maxRssBytes, limits.killRssBytes),
    maxMissedPings: checkInteger('health.maxMissedPings', limits.maxMissedPings, { min: 0, infinite: true }),
    maxLagMs: checkDurationMs('health.maxLagMs', limits.maxLagMs, { infinite: true }),
    killRssBytes: checkInteger('health.killRssBytes', limits.killRssBytes, { min: 1, infinite: true }),
    stuckFactor: checkNumber('health.stuckFactor', limits.stuckFactor, { min: 1, infinite: true }),
    stuckMinMs: checkDurationMs('health.stuckMinMs', limits.stuckMinMs, { infinite: true }),
    maxFailureRate: checkNumber('health.maxFailureRate', limits.maxFailureRate, { min: 0, max: 1 }),
    forgetMs: checkDurationMs('health.forgetMs', limits.forgetMs, { infinite: true }),
    recoverAfter: checkInteger('health.recoverAfter', limits.recoverAfter, { min: 1 }),
  };
}
