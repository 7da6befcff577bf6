import { checkDurationMs, checkInteger, checkOneOf, expectedMessage } from '@pawl/core';
import type { BreakerTotals } from './permit.ts';
import type { SavedOutcomes } from './failure-window.ts';

/**
 * A breaker as plain JSON, for another process or a later run. Probes that were out are forgotten: a half-open
 * breaker is saved as open with no time left, so the next call probes. Isolation is not saved.
 */
export interface BreakerSnapshot {
  readonly version: 1;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
  readonly state: 'closed' | 'open';
  /** Milliseconds left of the open time when it was saved. */
  readonly remainingOpenMs: number;
  readonly consecutiveOpens: number;
  /** Milliseconds since a ramp-up began, if one was under way. */
  readonly rampAgeMs?: number;
  readonly window: readonly SavedOutcomes[];
  readonly totals: BreakerTotals;
}

/** @throws TypeError, RangeError when it is no snapshot of this version */
export function checkSnapshot(name: string, value: unknown): BreakerSnapshot {
  if (typeof value !== 'object' || value === null || (value as Partial<BreakerSnapshot>).version !== 1) {
    throw new TypeError(expectedMessage(name, 'a breaker snapshot of version 1', value));
  }
  const snapshot = value as BreakerSnapshot;
  checkDurationMs(`${name}.savedAt`, snapshot.savedAt);
  checkOneOf(`${name}.state`, snapshot.state, ['closed', 'open']);
  checkDurationMs(`${name}.remainingOpenMs`, snapshot.remainingOpenMs ?? Infinity, { infinite: true });
  checkInteger(`${name}.consecutiveOpens`, snapshot.consecutiveOpens, { min: 0 });
  if (snapshot.rampAgeMs !== undefined) checkDurationMs(`${name}.rampAgeMs`, snapshot.rampAgeMs);
  if (!Array.isArray(snapshot.window)) {
    throw new TypeError(expectedMessage(`${name}.window`, 'an array', snapshot.window));
  }
  for (const [index, [ageMs, calls, failures]] of snapshot.window.entries()) {
    checkDurationMs(`${name}.window[${index}][0]`, ageMs);
    checkInteger(`${name}.window[${index}][1]`, calls, { min: 0 });
    checkInteger(`${name}.window[${index}][2]`, failures, { min: 0, max: calls });
  }
  for (const [key, count] of Object.entries(snapshot.totals ?? {})) {
    checkInteger(`${name}.totals.${key}`, count, { min: 0 });
  }
  return snapshot;
}
