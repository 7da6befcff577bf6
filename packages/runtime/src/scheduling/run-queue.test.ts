import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRunQueue, type QueueEntry } from './run-queue.ts';

/** The same queue the slow way: a sorted array of ids. */
function createModel() {
  const items: { readonly id: number; readonly priority: number }[] = [];
  return {
    items,
    add(id: number, priority: number) {
      const at = items.findIndex((other) => other.priority < priority);
      items.splice(at === -1 ? items.length : at, 0, { id, priority });
    },
    remove(id: number): boolean {
      const at = items.findIndex((item) => item.id === id);
      if (at !== -1) items.splice(at, 1);
      return at !== -1;
    },
  };
}

describe('createRunQueue', () => {
  it('does what a sorted array does, removals from the middle included', () => {
    const priority = fc.constantFrom(1, 2, 3, 4, 2.5, -7);
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('add'), priority, pick: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('take'), priority, pick: fc.constant(0) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('remove'), priority, pick: fc.nat() }) },
    );
    fc.assert(
      fc.property(fc.array(step, { size: 'large' }), (steps) => {
        const queue = createRunQueue<number>();
        const model = createModel();
        const entries: QueueEntry<number>[] = [];
        const both = ({ do: what, priority: level, pick }: (typeof steps)[number]): readonly unknown[] => {
          const entry = entries[pick % Math.max(1, entries.length)];
          if (what === 'take') return [queue.take(), model.items.shift()?.id];
          if (what === 'remove') {
            return entry === undefined ? [] : [queue.remove(entry), model.remove(entry.item)];
          }
          model.add(entries.length, level);
          const added = queue.add(entries.length, level);
          if (added !== undefined) entries.push(added);
          return [];
        };
        for (const each of steps) {
          const [got, expected] = both(each);
          expect(got).toBe(expected);
          expect(queue.size).toBe(model.items.length);
        }
        expect(queue.clear()).toEqual(model.items.map(({ id }) => id));
        expect(queue.size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('is first come, first served at normal priority', () => {
    const queue = createRunQueue<string>();
    for (const item of ['a', 'b', 'c']) queue.add(item);
    queue.add('late and low', 1);
    queue.add('late and high', 3);
    expect(queue.clear()).toEqual(['late and high', 'a', 'b', 'c', 'late and low']);
  });

  it('is full at its bound, and takes again when one has left', () => {
    const queue = createRunQueue<number>({ maxSize: 2 });
    queue.add(1);
    queue.add(2);
    expect(queue.isFull).toBe(true);
    expect(queue.add(3)).toBeUndefined();
    expect(queue.take()).toBe(1);
    expect(queue.isFull).toBe(false);
    expect(queue.add(3)?.item).toBe(3);
    expect(queue.clear()).toEqual([2, 3]);
  });

  it('knows an entry that is no longer its own', () => {
    const queue = createRunQueue<number>();
    const other = createRunQueue<number>();
    const entry = queue.add(1);
    const foreign = other.add(1);
    if (entry === undefined || foreign === undefined) throw new Error('Not full.');
    expect(queue.remove(foreign)).toBe(false);
    expect(queue.take()).toBe(1);
    expect(queue.remove(entry)).toBe(false);
  });

  it('carries undefined as any item', () => {
    const queue = createRunQueue<undefined>();
    queue.add(undefined);
    queue.add(undefined);
    expect(queue.clear()).toHaveLength(2);
  });

  it('keeps 100,000 in order, with every third removed, in a moment', () => {
    const queue = createRunQueue<number>({ maxSize: Infinity });
    const startedAt = performance.now();
    const entries = Array.from({ length: 100_000 }, (_, i) => queue.add(i, (i * 7_919) % 1_000));
    for (let i = 0; i < entries.length; i += 3) {
      const entry = entries[i];
      if (entry !== undefined) queue.remove(entry);
    }
    const order = queue.clear().map((i) => [(i * 7_919) % 1_000, i] as const);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(order).toHaveLength(66_666);
    const unsorted = order.findIndex(([priority, i], at) => {
      const [before, earlier] = order[at - 1] ?? [Infinity, -1];
      return priority > before || (priority === before && i < earlier);
    });
    expect(unsorted).toBe(-1);
  });

  it('refuses what is no priority or bound', () => {
    const queue = createRunQueue<number>();
    expect(() => queue.add(1, Number.NaN)).toThrow(/`priority` to be a number, got `NaN`/);
    expect(() => queue.add(1, Infinity)).toThrow(RangeError);
    expect(queue.size).toBe(0);
    expect(() => createRunQueue({ maxSize: -1 })).toThrow(/`maxSize` to be an integer ≥ 0, or Infinity/);
    expect(() => createRunQueue({ max: 1 } as never)).toThrow(/Unknown option `max`/);
  });
});
