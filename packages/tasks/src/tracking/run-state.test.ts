import { describe, expect, it } from 'vitest';
import { checkMove, isFinal, RUN_MOVES, RUN_STATES } from './run-state.ts';

describe('the states of a run', () => {
  it('lead from queued to every other, and out of a final one to none', () => {
    const reached = new Set(['queued']);
    for (const state of reached)
      for (const next of RUN_MOVES[state as keyof typeof RUN_MOVES]) reached.add(next);
    expect([...reached].toSorted()).toEqual([...RUN_STATES].toSorted());
    expect(RUN_STATES.filter(isFinal)).toEqual(['succeeded', 'failed', 'timed-out', 'cancelled', 'lost']);
  });

  const moves = RUN_STATES.flatMap((from) => RUN_STATES.map((to) => [from, to] as const));

  it.each(moves.filter(([from, to]) => RUN_MOVES[from].includes(to)))('allow %s → %s', (from, to) => {
    expect(() => checkMove('run_1', from, to)).not.toThrow();
  });

  it.each(moves.filter(([from, to]) => !RUN_MOVES[from].includes(to)))('refuse %s → %s', (from, to) => {
    expect(() => checkMove('run_1', from, to)).toThrow(`Run run_1 can't go from ${from} to ${to}.`);
  });
});
