import { checkSignal, untilAborted } from '@pawl/core';
import { discard } from './discard.ts';
import type { ExecuteOptions, PolicyContext } from './policy.ts';

/** Told of work that goes on although its caller was answered. */
export type Hold = (work: PromiseLike<unknown>) => void;

/**
 * The context that policies pass inwards. The signal is made when it is first read, because most work never asks
 * and an AbortController costs more than all else on the way.
 */
export class CallContext implements PolicyContext {
  readonly #attempt: number;
  readonly #source: AbortSignal | undefined;
  readonly #hold: Hold | undefined;
  #signal: AbortSignal | undefined;

  constructor(attempt: number, source: AbortSignal | undefined, hold: Hold | undefined) {
    this.#attempt = attempt;
    this.#source = source;
    this.#hold = hold;
  }

  /** The outer policy's context itself, or one made of what the caller passed. */
  static from(options: ExecuteOptions | undefined): CallContext {
    if (options instanceof CallContext) return options;
    if (options === undefined) return new CallContext(1, undefined, undefined);
    const { signal, attempt = 1 } = options;
    if (signal !== undefined) checkSignal('signal', signal);
    return new CallContext(attempt, signal, undefined);
  }

  get attempt(): number {
    return this.#attempt;
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#source ?? new AbortController().signal;
    return this.#signal;
  }

  /** The signal that can abort, or undefined when nothing can. */
  get source(): AbortSignal | undefined {
    return this.#source;
  }

  withSignal(signal: AbortSignal | undefined): CallContext {
    return new CallContext(this.#attempt, signal, this.#hold);
  }

  withAttempt(attempt: number): CallContext {
    return new CallContext(attempt, this.#source, this.#hold);
  }

  /** As this one; `hold` is told of abandoned work as well as whoever was told before. */
  withHold(hold: Hold): CallContext {
    const outer = this.#hold;
    return new CallContext(this.#attempt, this.#source, (work) => {
      hold(work);
      outer?.(work);
    });
  }

  /** Leaves work to itself: a result that still comes is disposed of, a failure is swallowed. */
  abandon(work: PromiseLike<unknown>): void {
    this.#hold?.(work);
    work.then(discard, () => undefined);
  }
}

/**
 * Runs `fn` and settles as it does, or at once with the signal's reason if that aborts first.
 * @throws the reason without calling `fn`, when the signal has aborted already
 */
export async function runAbortable<T>(
  fn: (context: CallContext) => T | PromiseLike<T>,
  context: CallContext,
): Promise<T> {
  const signal = context.source;
  if (signal === undefined) return fn(context);
  if (signal.aborted) throw asThrown(signal.reason);
  const work = fn(context);
  if (!isPromiseLike(work)) return work;
  try {
    return await untilAborted(work, signal);
  } catch (error) {
    if (signal.aborted) context.abandon(work);
    throw error;
  }
}

/** Marks a caller's own value, of any type, as what is thrown. */
export function asThrown(reason: unknown): Error {
  return reason as Error;
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
