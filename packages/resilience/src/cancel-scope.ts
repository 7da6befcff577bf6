import { setMaxListeners } from 'node:events';

/** Told why a scope was aborted. */
export type CancelListener = (reason: unknown) => void;

/**
 * What ends a call early, as policies pass it inwards: the caller's signal, or a limit within another scope. It does
 * what an AbortController does for a tenth of the cost, and makes a real one only when somebody asks for its signal.
 * A caller's signal carries one listener per call however many policies listen, and none when nobody does.
 */
export class CancelScope {
  readonly #outer: CancelScope | undefined;
  /** The caller's signal, of the outermost scope. */
  readonly #caller: AbortSignal | undefined;
  /** Made for the first of them: many calls have none. */
  #listeners: CancelListener[] | undefined;
  /** Listens to what lies around, while somebody listens here. */
  #follower: (() => void) | undefined;
  #controller: AbortController | undefined;
  #isAborted = false;
  #reason: unknown;
  #isOver = false;

  constructor(outer?: AbortSignal | CancelScope) {
    if (outer instanceof CancelScope) this.#outer = outer;
    else this.#caller = outer;
  }

  get aborted(): boolean {
    return this.#isAborted || (this.#caller ?? this.#outer)?.aborted === true;
  }

  get reason(): unknown {
    return this.#isAborted ? this.#reason : (this.#caller ?? this.#outer)?.reason;
  }

  /** The same as a signal; the caller's own when it is that. */
  get signal(): AbortSignal {
    if (this.#caller !== undefined) return this.#caller;
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      this.listen((reason) => controller.abort(reason));
    }
    return this.#controller.signal;
  }

  /** Ends what lies within; what lies around goes on. A scope made of a caller's signal is that caller's to end. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#tell();
  }

  /** Calls `listener` when this scope or an outer one is aborted, at once if one is already; never once disposed of. */
  listen(listener: CancelListener): void {
    if (this.aborted) {
      listener(this.reason);
      return;
    }
    // Work that goes on after its call may still ask for the signal; it must leave no listener on the caller's.
    if (this.#isOver) return;
    if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
    if (this.#listeners.length === 1) this.#follow();
  }

  unlisten(listener: CancelListener): void {
    const listeners = this.#listeners;
    const index = listeners?.lastIndexOf(listener) ?? -1;
    if (listeners === undefined || index === -1) return;
    // Who came last mostly leaves first.
    if (index === listeners.length - 1) listeners.pop();
    else listeners.splice(index, 1);
    if (listeners.length === 0) this.#unfollow();
  }

  /**
   * Settles as `work` does, or rejects with the reason at once when the scope is aborted first. What `work` comes to
   * afterwards is nobody's.
   * @param onAbandoned called when it is left to itself
   */
  guard<T>(work: PromiseLike<T>, onAbandoned?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = (reason: unknown): void => {
        onAbandoned?.();
        reject(reason);
      };
      this.listen(onAbort);
      work.then(
        (value) => {
          this.unlisten(onAbort);
          resolve(value);
        },
        (error: unknown) => {
          this.unlisten(onAbort);
          reject(error);
        },
      );
    });
  }

  /** Lets go of the outer scopes for good. To be called at the end of what the scope was made for. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    if (this.#listeners === undefined || this.#listeners.length === 0) return;
    this.#listeners.length = 0;
    this.#unfollow();
  }

  #follow(): void {
    const outer = this.#outer;
    const caller = this.#caller;
    if (outer === undefined && caller === undefined) return;
    this.#follower ??= () => this.#tell();
    outer?.listen(this.#follower);
    if (caller === undefined) return;
    // Many calls may share one signal, and each takes its listener away: Node's warning at the 11th is no leak here.
    setMaxListeners(0, caller);
    caller.addEventListener('abort', this.#follower);
  }

  #unfollow(): void {
    if (this.#follower === undefined) return;
    this.#outer?.unlisten(this.#follower);
    this.#caller?.removeEventListener('abort', this.#follower);
  }

  #tell(): void {
    const { reason } = this;
    const listeners = this.#listeners?.splice(0) ?? [];
    if (listeners.length > 0) this.#unfollow();
    for (const listener of listeners) listener(reason);
  }
}
