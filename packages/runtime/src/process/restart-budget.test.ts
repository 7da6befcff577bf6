import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { createRestartBudget } from './restart-budget.ts';

describe('createRestartBudget', () => {
  it('allows so many failures within the window, and no more', () => {
    const budget = createRestartBudget(2, 1_000, createManualClock());
    expect([budget.spend(), budget.spend()]).toEqual([false, false]);
    expect(budget).toMatchObject({ spent: false, onProbation: false, retryAfterMs: 0 });
    expect(budget.spend()).toBe(true);
    expect(budget).toMatchObject({ spent: true, onProbation: true, retryAfterMs: 1_000 });
  });

  it('forgets what lies before the window', async () => {
    const clock = createManualClock();
    const budget = createRestartBudget(1, 1_000, clock);
    for (let i = 0; i < 5; i += 1) {
      expect(budget.spend()).toBe(false);
      await clock.advance(1_000);
    }
    budget.spend();
    await clock.advance(999);
    expect(budget.spend()).toBe(true);
  });

  it('allows one try after the wait: its failure spends it again at once, a reset ends the matter', async () => {
    const clock = createManualClock();
    const budget = createRestartBudget(3, 1_000, clock);
    for (let i = 0; i < 4; i += 1) budget.spend();
    await clock.advance(999);
    expect(budget).toMatchObject({ spent: true, retryAfterMs: 1 });
    await clock.advance(1);
    expect(budget).toMatchObject({ spent: false, onProbation: true, retryAfterMs: 0 });
    await clock.advance(5_000);
    expect(budget.spend()).toBe(true);
    await clock.advance(1_000);
    budget.reset();
    expect(budget).toMatchObject({ spent: false, onProbation: false });
    expect(budget.spend()).toBe(false);
  });

  it('may allow none, or any number', () => {
    expect(createRestartBudget(0, 1_000, createManualClock()).spend()).toBe(true);
    const endless = createRestartBudget(Infinity, 1_000, createManualClock());
    for (let i = 0; i < 100; i += 1) expect(endless.spend()).toBe(false);
  });
});
