/** Runs functions one after another, in the order of the calls. */
export type Turns = <T>(fn: () => Promise<T>) => Promise<T>;

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (fn) => {
    const result = last.then(fn);
    last = result.catch(() => undefined);
    return result;
  };
}
