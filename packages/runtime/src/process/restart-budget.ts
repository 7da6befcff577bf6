import type { Clock } from '@pawl/core';

/**
 * Limits how often something may go wrong in a sliding window, as the restart intensity of an OTP supervisor does.
 * Once spent it allows nothing for `withinMs`, then one try: a failure spends it again at once, `reset` ends the matter.
 */
export interface RestartBudget {
  /** Notes a failure. @returns whether the budget is spent by it */
  spend(): boolean;
  /** Whether nothing is allowed now. */
  readonly spent: boolean;
  /** Whether it was spent and nothing has worked since: only one try is allowed. */
  readonly onProbation: boolean;
  /** How long until it may be tried again, in milliseconds; 0 when not spent. */
  readonly retryAfterMs: number;
  /** Forgets all failures: it works again. */
  reset(): void;
}

export function createRestartBudget(maxRestarts: number, withinMs: number, clock: Clock): RestartBudget {
  let failures: number[] = [];
  let spentUntil: number | undefined;
  return {
    spend() {
      const now = clock.now();
      failures = [...failures.filter((at) => at > now - withinMs), now];
      if (failures.length > maxRestarts || spentUntil !== undefined) spentUntil = now + withinMs;
      return spentUntil !== undefined;
    },
    get spent() {
      return spentUntil !== undefined && clock.now() < spentUntil;
    },
    get onProbation() {
      return spentUntil !== undefined;
    },
    get retryAfterMs() {
      return spentUntil === undefined ? 0 : Math.max(0, spentUntil - clock.now());
    },
    reset() {
      failures = [];
      spentUntil = undefined;
    },
  };
}
