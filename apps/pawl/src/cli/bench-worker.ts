/** The task that `pawl bench` runs in a pool: it does nothing. */
export const echo = (input: unknown): unknown => input;
