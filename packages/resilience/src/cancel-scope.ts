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
  readonly #listeners: CancelListener[] = [];
  #controller: AbortController | undefined;
  #isAborted = false;
  #reason: unknown;
  #isOver = false;

  constructor(outer: AbortSignal | CancelScope | undefined) {
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
    if (this.#listeners.length === 0) this.#follow();
    this.#listeners.push(listener);
  }

  unlisten(listener: CancelListener): void {
    const index = this.#listeners.indexOf(listener);
    if (index === -1) return;
    this.#listeners.splice(index, 1);
    if (this.#listeners.length === 0) this.#unfollow();
  }

  /** Lets go of the outer scopes for good. To be called at the end of what the scope was made for. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    if (this.#listeners.length === 0) return;
    this.#listeners.length = 0;
    this.#unfollow();
  }

  #follow(): void {
    this.#outer?.listen(this.#tell);
    if (this.#caller === undefined) return;
    // Many calls may share one signal, and each takes its listener away: Node's warning at the 11th is no leak here.
    setMaxListeners(0, this.#caller);
    this.#caller.addEventListener('abort', this.#tell);
  }

  #unfollow(): void {
    this.#outer?.unlisten(this.#tell);
    this.#caller?.removeEventListener('abort', this.#tell);
  }

  readonly #tell = (): void => {
    const { reason } = this;
    const listeners = this.#listeners.splice(0);
    if (listeners.length > 0) this.#unfollow();
    for (const listener of listeners) listener(reason);
  };
}
