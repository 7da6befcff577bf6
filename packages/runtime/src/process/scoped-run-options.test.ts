import { CancelScope } from '@pawl/resilience';
import { describe, expect, it } from 'vitest';
import { resolveRunOptions, type RunOptions } from './run-options.ts';
import { ScopedRunOptions } from './scoped-run-options.ts';

function setup() {
  const scope = new CancelScope();
  return { scope, options: new ScopedRunOptions({ runId: 'r', attempt: 2, priority: 4 }, scope) };
}

/** As a pool around another may make one. */
const copyOf = (how: RunOptions, priority: number) => ({ ...how, priority });

describe('scoped run options', () => {
  it('are read like any others: the signal is there, the same each time, and goes with a copy', () => {
    const { scope, options } = setup();
    const copy = copyOf(options, 1);
    expect(copy).toMatchObject({ runId: 'r', attempt: 2, priority: 1 });
    const { signal } = copy;
    expect([signal === options.signal, signal?.aborted]).toEqual([true, false]);
    scope.abort('enough');
    expect([signal?.aborted, signal?.reason]).toEqual([true, 'enough']);
  });

  it('tell whether a promise heeds their scope, which that of a copy never does', () => {
    const { scope, options } = setup();
    const work = Promise.resolve();
    expect(ScopedRunOptions.takeScope(copyOf(options, 1), work)).toBeUndefined();
    expect(options.isHeededBy(work)).toBe(false);
    expect(ScopedRunOptions.takeScope(options, work)).toBe(scope);
    expect([options.isHeededBy(work), options.isHeededBy(Promise.resolve())]).toEqual([true, false]);
  });

  it('are checked once, and a copy of them again', () => {
    const { options } = setup();
    expect(resolveRunOptions(options)).toBe(options);
    expect(() => resolveRunOptions(copyOf(options, Number.NaN))).toThrow(/`priority`/);
  });
});
