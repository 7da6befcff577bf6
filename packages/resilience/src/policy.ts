import { checkFunction, expectedMessage } from '@pawl/core';

/** What a policy hands to the work it wraps. */
export interface PolicyContext {
  /** Aborts when the work should end: the caller gave up, or a timeout of a policy passed. */
  readonly signal: AbortSignal;
  /** Which try this is, from 1. More than 1 only inside a retry. */
  readonly attempt: number;
  /** Which call of a hedge this is: 0 or absent for the original, then 1, 2 … */
  readonly hedge?: number;
}

/** The work that a policy wraps. It may ignore the context. */
export type Work<T> = (context: PolicyContext) => T | PromiseLike<T>;

export interface ExecuteOptions {
  /** Cancels the call: it rejects with the signal's own reason, whatever that is, within a tick. */
  readonly signal?: AbortSignal | undefined;
  /** Which try this is, when an outer policy counts them. Pass an outer context on as it is. @default 1 */
  readonly attempt?: number | undefined;
}

/** Carries a type and exists in types alone: what a policy adds can't be inferred from its generic method. */
declare const ADDED: unique symbol;

/**
 * Something wrapped around a call.
 * @typeParam Added what the policy may return in place of the work's own result, as a fallback does
 */
export interface Policy<Added = never> {
  /** Runs `fn` under the policy. Never throws synchronously. */
  execute<T>(fn: Work<T>, options?: ExecuteOptions): Promise<T | Added>;
  readonly [ADDED]?: Added;
}

type AddedBy<P> = P extends Policy<infer Added> ? (unknown extends Added ? never : Added) : never;

/**
 * One policy out of several, the outermost first: `compose(a, b).execute(fn)` is `a` around `b` around `fn`.
 * Signal and attempt number travel inwards.
 * @throws TypeError when there is none, or one is no policy
 */
export function compose<const Policies extends readonly [Policy<unknown>, ...Policy<unknown>[]]>(
  ...policies: Policies
): Policy<AddedBy<Policies[number]>> {
  if (policies.length === 0)
    throw new TypeError(expectedMessage('policies', 'at least one policy', policies));
  for (const [index, policy] of policies.entries()) {
    checkFunction(`policies[${index}].execute`, (policy as Partial<Policy> | undefined)?.execute);
  }
  const [innermost, ...outwards] = policies.toReversed() as [Policy<unknown>, ...Policy<unknown>[]];
  let composed = innermost;
  for (const outer of outwards) {
    const inner = composed;
    composed = { execute: (fn, options) => outer.execute((context) => inner.execute(fn, context), options) };
  }
  return composed as Policy<AddedBy<Policies[number]>>;
}
