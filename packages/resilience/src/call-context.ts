import { checkSignal } from '@pawl/core';
import { CancelScope } from './cancel-scope.ts';
import { discard } from './discard.ts';
import type { ExecuteOptions, PolicyContext } from './policy.ts';
import type { RetryBudget } from './retry/budget.ts';

/** Told of work that goes on although its caller was answered. */
export type Hold = (work: PromiseLike<unknown>) => void;

/**
 * The context that policies pass inwards. The signal is made when it is first read, because most work never asks
 * and an AbortController costs more than all else on the way.
 */
export class CallContext implements PolicyContext {
  readonly #attempt: number;
  readonly #hedge: number;
  /** What can abort the call, or undefined when nothing can. */
  readonly #scope: CancelScope | undefined;
  readonly #hold: Hold | undefined;
  /** The budget that has this call among its calls already. */
  readonly #countedIn: RetryBudget | undefined;
  /** For work that asks although nothing can abort it. */
  #idleSignal: AbortSignal | undefined;

  private constructor(
    attempt: number,
    hedge: number,
    scope: CancelScope | undefined,
    hold: Hold | undefined,
    countedIn: RetryBudget | undefined,
  ) {
    this.#attempt = attempt;
    this.#hedge = hedge;
    this.#scope = scope;
    this.#hold = hold;
    this.#countedIn = countedIn;
  }

  /** The outer policy's context itself, or one made of what the caller passed. */
  static from(options: ExecuteOptions | undefined): CallContext {
    if (options instanceof CallContext) return options;
    if (options === undefined) return new CallContext(1, 0, undefined, undefined, undefined);
    const { signal, attempt = 1 } = options;
    if (signal !== undefined) checkSignal('signal', signal);
    const scope = signal === undefined ? undefined : new CancelScope(signal);
    return new CallContext(attempt, 0, scope, undefined, undefined);
  }

  /** The context of a call that nothing but `scope` can end. */
  static within(scope: CancelScope): CallContext {
    return new CallContext(1, 0, scope, undefined, undefined);
  }

  get attempt(): number {
    return this.#attempt;
  }

  get hedge(): number {
    return this.#hedge;
  }

  get scope(): CancelScope | undefined {
    return this.#scope;
  }

  get signal(): AbortSignal {
    if (this.#scope !== undefined) return this.#scope.signal;
    this.#idleSignal ??= new AbortController().signal;
    return this.#idleSignal;
  }

  /** The signal to wait with: undefined when nothing can abort. */
  get waitSignal(): AbortSignal | undefined {
    return this.#scope?.signal;
  }

  /** @throws the reason, when the call was aborted */
  throwIfAborted(): void {
    if (this.#scope?.aborted === true) throw asThrown(this.#scope.reason);
  }

  withScope(scope: CancelScope): CallContext {
    return new CallContext(this.#attempt, this.#hedge, scope, this.#hold, this.#countedIn);
  }

  withAttempt(attempt: number): CallContext {
    if (attempt === this.#attempt) return this;
    return new CallContext(attempt, this.#hedge, this.#scope, this.#hold, this.#countedIn);
  }

  withHedge(hedge: number, scope: CancelScope): CallContext {
    return new CallContext(this.#attempt, hedge, scope, this.#hold, this.#countedIn);
  }

  /** As this one; `hold` is told of abandoned work as well as whoever was told before. */
  withHold(hold: Hold): CallContext {
    const outer = this.#hold;
    const both: Hold = (work) => {
      hold(work);
      outer?.(work);
    };
    return new CallContext(this.#attempt, this.#hedge, this.#scope, both, this.#countedIn);
  }

  /** Counts the call in a budget once, however many policies share that budget. */
  countedIn(budget: RetryBudget | undefined): CallContext {
    if (budget === undefined || budget === this.#countedIn) return this;
    budget.recordCall();
    return new CallContext(this.#attempt, this.#hedge, this.#scope, this.#hold, budget);
  }

  /** Leaves work to itself: a result that still comes is disposed of, a failure is swallowed. */
  abandon(work: PromiseLike<unknown>): void {
    this.#hold?.(work);
    work.then(discard, () => undefined);
  }
}

/**
 * Runs `fn` and settles as it does, or at once with the reason when its context is aborted first. Never throws
 * synchronously, and adds no turn of the microtask queue to work that nothing can abort.
 * @returns a rejection with the reason, without calling `fn`, when the context was aborted before
 */
export function runAbortable<T>(
  fn: (context: CallContext) => T | PromiseLike<T>,
  context: CallContext,
): Promise<T> {
  const { scope } = context;
  try {
    context.throwIfAborted();
    const work = fn(context);
    // The work's own promise, if it is one: no turn is lost.
    const promise = Promise.resolve(work);
    return scope === undefined || !isPromiseLike(work)
      ? promise
      : scope.guard(promise, () => context.abandon(promise));
  } catch (error) {
    return Promise.reject(asThrown(error));
  }
}

/**
 * The context of a call that `scope` can end, for the `execute` of a policy: it costs no signal until one is read.
 */
export function contextWithin(scope: CancelScope): PolicyContext {
  return CallContext.within(scope);
}

/** What can end the work that got this context from a policy; undefined when nothing can. */
export function scopeOf(context: PolicyContext): CancelScope | undefined {
  return CallContext.from(context).scope;
}

/** Marks a value of any type, such as a caller's own reason, as what is thrown. */
export function asThrown(reason: unknown): Error {
  return reason as Error;
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
