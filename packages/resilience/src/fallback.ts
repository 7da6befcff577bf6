import {
  checkFunction,
  checkKnownKeys,
  checkString,
  type EventSource,
  type Logger,
  silentLogger,
} from '@pawl/core';
import { CallContext, runAbortable } from './call-context.ts';
import type { FallbackEvents } from './events.ts';
import type { Policy, PolicyContext } from './policy.ts';
import { createPolicyEmitter } from './telemetry.ts';

export interface FallbackOptions {
  /** Whether an error is to be replaced; others are thrown on. @default every one is */
  readonly shouldHandle?: (error: unknown) => boolean;
  /** Names it in telemetry. @default 'fallback' */
  readonly name?: string;
  /** Told of listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

export interface FallbackPolicy<Added> extends Policy<Added>, EventSource<FallbackEvents> {}

/**
 * Answers with something else when the work fails. A call that the caller cancelled rejects with the caller's reason.
 * @param fn makes the other answer from the error; what it throws is what the call rejects with
 */
export function fallback<F>(
  fn: (error: unknown, context: PolicyContext) => F | PromiseLike<F>,
  options: FallbackOptions = {},
): FallbackPolicy<F> {
  checkFunction('fn', fn);
  checkKnownKeys('fallback', options, ['shouldHandle', 'name', 'logger']);
  const shouldHandle = checkFunction('shouldHandle', options.shouldHandle ?? (() => true));
  const name = checkString('name', options.name ?? 'fallback');
  const events = createPolicyEmitter<FallbackEvents>(name, options.logger ?? silentLogger);
  return {
    on: (event, listener) => events.on(event, listener),
    onAny: (listener) => events.onAny(listener),
    execute: async (work, executeOptions) => {
      const context = CallContext.from(executeOptions);
      try {
        return await runAbortable(work, context);
      } catch (error) {
        context.throwIfAborted();
        if (!shouldHandle(error)) throw error;
        events.emit('fallback:used', { error });
        return runAbortable((inner) => fn(error, inner), context);
      }
    },
  };
}
