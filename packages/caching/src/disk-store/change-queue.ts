/** Makes changes one after another, in the order they were asked for; one that fails holds up none behind it. */
export class ChangeQueue {
  #last: Promise<unknown> = Promise.resolve();

  run<R>(change: () => Promise<R>): Promise<R> {
    const made = this.#last.then(change);
    this.#last = made.catch(() => undefined);
    return made;
  }
}
