import { retry } from '@pawl/resilience';
import { mayPass } from './service-errors.ts';

export interface PatienceOptions {
  readonly signal: AbortSignal;
  /** Called at the first failure after an answer. */
  readonly onBroken?: () => void;
  /** How long it is tried again, in milliseconds from the first failure. @default 60000 */
  readonly giveUpMs?: number;
}

interface Habits {
  /** Whether it is worth trying again. @default mayPass */
  readonly isWorthIt?: (error: unknown) => boolean;
  /** The wait between two attempts, in milliseconds. @default 1000 */
  readonly retryMs?: () => number;
}

/** Asks until the service answers: it may be starting again. For questions that change nothing. */
export interface Patience {
  /** @throws what `ask` throws when that will not pass or did not pass in time, or the reason of the signal */
  execute<Answer>(ask: () => Promise<Answer>): Promise<Answer>;
  /** The service gave a sign of life: the next failure is a first one. */
  renew(): void;
}

const GIVE_UP_MS = 60_000;
export const RETRY_MS = 1_000;

export function createPatience(
  { signal, onBroken, giveUpMs = GIVE_UP_MS }: PatienceOptions,
  { isWorthIt = mayPass, retryMs = () => RETRY_MS }: Habits = {},
): Patience {
  let brokenAt: number | undefined;
  const policy = retry({
    maxAttempts: Infinity,
    backoff: retryMs,
    jitter: false,
    // A client that tried once more itself had to do with one broken connection.
    retryNested: true,
    shouldRetry(error) {
      const now = performance.now();
      if (!isWorthIt(error) || now - (brokenAt ?? now) >= giveUpMs) return false;
      if (brokenAt === undefined) onBroken?.();
      brokenAt ??= now;
      return true;
    },
  });
  return {
    async execute(ask) {
      const answer = await policy.execute(ask, { signal });
      brokenAt = undefined;
      return answer;
    },
    renew() {
      brokenAt = undefined;
    },
  };
}

/** Asks one question with patience. */
export async function patiently<Answer>(
  ask: () => Promise<Answer>,
  options: PatienceOptions,
): Promise<Answer> {
  return createPatience(options).execute(ask);
}
