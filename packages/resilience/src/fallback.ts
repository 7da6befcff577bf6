import { checkFunction, checkKnownKeys } from '@pawl/core';
import { asThrown, CallContext, runAbortable } from './call-context.ts';
import type { Policy, PolicyContext } from './policy.ts';

export interface FallbackOptions {
  /** Whether an error is to be replaced; others are thrown on. @default every one is */
  readonly shouldHandle?: (error: unknown) => boolean;
}

/**
 * Answers with something else when the work fails. A call that the caller cancelled rejects with the caller's reason.
 * @param fn makes the other answer from the error; what it throws is what the call rejects with
 */
export function fallback<F>(
  fn: (error: unknown, context: PolicyContext) => F | PromiseLike<F>,
  options: FallbackOptions = {},
): Policy<F> {
  checkFunction('fn', fn);
  checkKnownKeys('fallback', options, ['shouldHandle']);
  const shouldHandle = checkFunction('shouldHandle', options.shouldHandle ?? (() => true));
  return {
    execute: async (work, executeOptions) => {
      const context = CallContext.from(executeOptions);
      try {
        return await runAbortable(work, context);
      } catch (error) {
        if (context.source?.aborted === true) throw asThrown(context.source.reason);
        if (!shouldHandle(error)) throw error;
        return runAbortable((inner) => fn(error, inner), context);
      }
    },
  };
}
