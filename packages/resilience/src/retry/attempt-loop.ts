import pRetry from 'p-retry';

/** Takes a thrown value of any type through p-retry unchanged, and unseen by its rules about TypeErrors. */
class Carrier extends Error {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    super('An attempt failed.');
    this.thrown = thrown;
  }
}

/**
 * Calls `attempt` with 1, 2, 3 … until it succeeds, or until `again` says no (what the attempt threw is then thrown) or
 * throws itself. p-retry keeps the loop and nothing else: it creates no timer, decides nothing, sees no signal.
 *
 * The first attempt is made before the loop, which then begins with its failure: most calls succeed at once, and
 * setting the loop up costs several times what the rest of a retry does.
 */
export async function attemptLoop<T>(
  attempt: (number: number) => Promise<T>,
  again: (thrown: unknown, number: number) => Promise<boolean>,
): Promise<T> {
  let first: Carrier;
  try {
    return await attempt(1);
  } catch (error) {
    first = new Carrier(error);
  }
  try {
    return await pRetry(
      async (number) => {
        if (number === 1) throw first;
        try {
          return await attempt(number);
        } catch (error) {
          throw new Carrier(error);
        }
      },
      {
        retries: Infinity,
        minTimeout: 0,
        shouldRetry: ({ error, attemptNumber }) => again((error as Carrier).thrown, attemptNumber),
      },
    );
  } catch (error) {
    throw error instanceof Carrier ? error.thrown : error;
  }
}
