import { createManualClock } from '@pawl/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comesBefore, createRunQueue, type QueueEntry } from './run-queue.ts';

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

  it('lets a low priority catch up by waiting', async () => {
    const clock = createManualClock();
    const queue = createRunQueue<string>({ ageingMs: 1_000, clock });
    queue.add('low', 1);
    await clock.advance(1_999);
    queue.add('high, a little too early', 3);
    await clock.advance(2);
    queue.add('high, too late', 3);
    expect(queue.clear()).toEqual(['high, a little too early', 'low', 'high, too late']);
  });

  it('lets keys take turns within a priority', () => {
    const queue = createRunQueue<string>();
    for (const item of ['a1', 'a2', 'a3']) queue.add(item, 2, 'a');
    for (const item of ['b1', 'b2']) queue.add(item, 2, 'b');
    queue.add('no key', 2);
    queue.add('low', 1, 'c');
    expect(queue.take()).toBe('a1');
    queue.add('d1', 2, 'd');
    expect(queue.clear()).toEqual(['b1', 'no key', 'a2', 'd1', 'b2', 'a3', 'low']);
  });

  it('serves every key once a round, however many each of them has', () => {
    const entry = fc.record({ key: fc.constantFrom('a', 'b', 'c'), cancel: fc.boolean() });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (adds) => {
        const queue = createRunQueue<number>();
        const left = new Map<string, number[]>();
        for (const [id, { key, cancel }] of adds.entries()) {
          const added = queue.add(id, 2, key);
          if (cancel && added !== undefined) queue.remove(added);
          else left.set(key, [...(left.get(key) ?? []), id]);
        }
        const keyOf = (id: number): string => adds[id]?.key ?? '';
        const served = queue.clear();
        for (const [key, ids] of left) expect(served.filter((id) => keyOf(id) === key)).toEqual(ids);
        // Between two of one key there are all others that still have some.
        for (const [at, id] of served.entries()) {
          const again = served.findIndex((other, later) => later > at && keyOf(other) === keyOf(id));
          if (again === -1) continue;
          const between = served.slice(at + 1, again).map(keyOf);
          expect(new Set(between).size).toBe(between.length);
        }
      }),
    );
  });

  it('puts back what was taken before all that came later', () => {
    const queue = createRunQueue<string>();
    const entries = ['a', 'b', 'c', 'd'].map((item) => queue.stamp(item));
    for (const entry of [entries[3], entries[1], entries[0]]) if (entry !== undefined) queue.restore(entry);
    queue.add('e');
    expect(queue.first?.item).toBe('a');
    expect(queue.clear()).toEqual(['a', 'b', 'd', 'e']);
  });

  it('gives up the oldest of the lowest priority', () => {
    const queue = createRunQueue<string>();
    queue.add('normal');
    queue.add('old and low', 1, 'x');
    queue.add('low', 1, 'y');
    expect(queue.takeOldest()).toBe('old and low');
    expect(queue.clear()).toEqual(['normal', 'low']);
    expect(queue.takeOldest()).toBeUndefined();
  });

  it('knows which of two comes first, also in two queues', () => {
    const [one, other] = [createRunQueue<string>(), createRunQueue<string>()];
    const [first, second, urgent] = [one.stamp('first'), one.stamp('second'), one.stamp('urgent', 4)];
    other.restore(second);
    one.restore(first);
    expect(comesBefore(first, second)).toBe(true);
    expect(comesBefore(second, first)).toBe(false);
    expect(comesBefore(urgent, first)).toBe(true);
  });

  it('takes a million, in order', () => {
    const queue = createRunQueue<number>({ maxSize: Infinity });
    for (let i = 0; i < 1_000_000; i += 1) queue.add(i, 1 + (i % 4));
    expect(queue.size).toBe(1_000_000);
    let last = -1;
    let isOrdered = true;
    for (let i = 0; i < 250_000; i += 1) {
      const item = queue.take() ?? -1;
      isOrdered &&= item % 4 === 3 && item > last;
      last = item;
    }
    expect(isOrdered).toBe(true);
  });
});
