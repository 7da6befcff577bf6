import { fixedBackoff, retry } from '@pawl/resilience';
import { mayPass } from './service-errors.ts';

export interface PatienceOptions {
  readonly signal: AbortSignal;
  /** Called at the first failure. */
  readonly onBroken?: () => void;
  /** How long it is tried again, in milliseconds. @default 60000 */
  readonly giveUpMs?: number;
}

export const GIVE_UP_MS = 60_000;
export const RETRY_MS = 1_000;

/**
 * Asks until the service answers: it may be starting again. For questions that change nothing.
 * @throws what `ask` throws when that will not pass, or did not pass in time
 */
export async function patiently<Answer>(
  ask: () => Promise<Answer>,
  { signal, onBroken, giveUpMs = GIVE_UP_MS }: PatienceOptions,
): Promise<Answer> {
  const startedAt = performance.now();
  const patience = retry({
    maxAttempts: Infinity,
    backoff: fixedBackoff(RETRY_MS),
    jitter: false,
    shouldRetry: (error) => mayPass(error) && performance.now() - startedAt < giveUpMs,
    onRetry: ({ attempt }) => attempt === 1 && onBroken?.(),
  });
  return patience.execute(ask, { signal });
}
