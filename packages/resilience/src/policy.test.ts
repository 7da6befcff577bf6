import { describe, expect, expectTypeOf, it } from 'vitest';
import { createManualClock } from '@pawl/core/testing';
import { watch } from '../test/settle.ts';
import {
  compose,
  fallback,
  hedge,
  type Policy,
  type PolicyContext,
  rateLimiter,
  retry,
  standardPolicy,
  timeout,
} from './index.ts';

/** Notes when the work goes in and out. */
function traced(name: string, trace: string[]): Policy {
  return {
    async execute(fn, options) {
      trace.push(`${name} in`);
      try {
        return await fn({
          signal: options?.signal ?? new AbortController().signal,
          attempt: options?.attempt ?? 1,
        });
      } finally {
        trace.push(`${name} out`);
      }
    },
  };
}

describe('compose', () => {
  it('puts the first policy outermost', async () => {
    const trace: string[] = [];
    const policy = compose(traced('a', trace), traced('b', trace), traced('c', trace));
    expect(await policy.execute(() => trace.push('work'))).toBe(4);
    expect(trace).toEqual(['a in', 'b in', 'c in', 'work', 'c out', 'b out', 'a out']);
  });

  it('hands the attempt number and the signal inwards', async () => {
    const clock = createManualClock();
    const seen: PolicyContext[] = [];
    const policy = compose(retry({ clock, jitter: false, maxAttempts: 2 }), timeout(500, { clock }));
    const result = policy.execute((context) => {
      seen.push(context);
      if (context.attempt === 1) throw new Error('once');
      return new Promise(() => undefined);
    });
    const outcome = watch(result);
    await clock.advance(100);
    await clock.advance(500);
    expect(outcome.now.error).toMatchObject({ code: 'TIMEOUT', timeoutMs: 500 });
    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(seen.map(({ signal }) => signal.aborted)).toEqual([false, true]);
  });

  it('composes compositions', async () => {
    const trace: string[] = [];
    const inner = compose(traced('b', trace), traced('c', trace));
    await compose(traced('a', trace), inner).execute(() => trace.push('work'));
    expect(trace.slice(0, 4)).toEqual(['a in', 'b in', 'c in', 'work']);
  });

  it('knows in its type what a policy may return instead', () => {
    const replacing = timeout(1) as Policy<'instead'>;
    expectTypeOf(compose(replacing, retry()).execute(() => 1)).resolves.toEqualTypeOf<number | 'instead'>();
    expectTypeOf(compose(timeout(1), retry()).execute(() => 1)).resolves.toEqualTypeOf<number>();
    const covered = compose(
      hedge(),
      rateLimiter(),
      fallback(() => 'none' as const),
    );
    expectTypeOf(covered.execute(() => 1)).resolves.toEqualTypeOf<number | 'none'>();
    expectTypeOf(standardPolicy().execute(() => 1)).resolves.toEqualTypeOf<number>();
  });

  it('gives work a context that it cannot change', async () => {
    const seen: number[] = [];
    await retry().execute((context) => {
      expect(() => Object.assign(context, { attempt: 7 })).toThrow(TypeError);
      seen.push(context.attempt);
    });
    expect(seen).toEqual([1]);
  });

  it('refuses an empty list and what is no policy', () => {
    // @ts-expect-error at least one is needed
    expect(() => compose()).toThrow(TypeError);
    expect(() => compose(timeout(1), {} as Policy)).toThrow('`policies[1].execute`');
    expect(() => compose(undefined as unknown as Policy)).toThrow('`policies[0].execute`');
  });
});
