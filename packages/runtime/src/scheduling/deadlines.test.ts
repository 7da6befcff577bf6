import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { createDeadlines, type Deadline } from './deadlines.ts';

interface Named extends Deadline {
  readonly name: string;
}

const at = (name: string, dueAt: number): Named => ({ name, dueAt, heapIndex: -1 });

function setup(keepAlive = false) {
  const clock = createManualClock();
  const due: string[] = [];
  const deadlines = createDeadlines<Named>({
    clock,
    keepAlive,
    onDue: ({ name }) => due.push(`${name} at ${clock.now()}`),
  });
  return { clock, due, deadlines };
}

describe('createDeadlines', () => {
  it('tells each at its time, whatever the order they came in, with one timer', async () => {
    const { clock, due, deadlines } = setup();
    for (const [name, dueAt] of [
      ['b', 20],
      ['a', 10],
      ['c', 20],
      ['d', 5_000],
    ] as const) {
      deadlines.add(at(name, dueAt));
    }
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(30);
    expect(due.toSorted()).toEqual(['a at 10', 'b at 20', 'c at 20']);
    expect(deadlines.size).toBe(1);
    await clock.advance(10_000);
    expect(due.at(-1)).toBe('d at 5000');
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not tell what was removed, and passes over what never was in', async () => {
    const { clock, due, deadlines } = setup();
    const [first, second] = [at('first', 10), at('second', 20)];
    deadlines.add(first);
    deadlines.add(second);
    deadlines.remove(first);
    deadlines.remove(at('stranger', 5));
    await clock.advance(100);
    expect(due).toEqual(['second at 20']);
  });

  it('keeps nothing that is never due, and lets go of a timer that would keep the process running', () => {
    const { clock, deadlines } = setup(true);
    deadlines.add(at('never', Infinity));
    expect(clock.pendingTimers).toBe(0);
    const soon = at('soon', 10);
    deadlines.add(soon);
    deadlines.remove(soon);
    expect(clock.pendingTimers).toBe(0);
    deadlines.add(at('again', 10));
    expect(clock.pendingTimers).toBe(1);
    deadlines.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes one that is added or removed while another is told', async () => {
    const clock = createManualClock();
    const due: string[] = [];
    const later = at('later', 10);
    const deadlines = createDeadlines<Named>({
      clock,
      keepAlive: false,
      onDue({ name }) {
        due.push(name);
        if (name !== 'first') return;
        deadlines.remove(later);
        deadlines.add(at('new', 15));
      },
    });
    deadlines.add(at('first', 5));
    deadlines.add(later);
    await clock.advance(100);
    expect(due).toEqual(['first', 'new']);
  });
});
