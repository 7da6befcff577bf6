/** `2 of 3`; `2` when lost attempts, which do not count, made it more; nothing for a run that is tried but once. */
export function attemptText({
  attempt,
  maxAttempts,
}: {
  readonly attempt: number;
  readonly maxAttempts: number;
}): string {
  if (attempt > maxAttempts) return String(attempt);
  return maxAttempts === 1 ? '' : `${attempt} of ${maxAttempts}`;
}
