import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdTable } from './id-table.ts';

const id = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  // Those that fall on one place, whatever the size of the table.
  fc.integer({ min: 1, max: 20 }).map((n) => n * 2 ** 32),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);

describe('the id table', () => {
  it('does what a Map does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id, keep: fc.boolean(), take: fc.integer({ min: 0, max: 60 }) }), {
          maxLength: 500,
        }),
        (steps) => {
          const table = new IdTable<string>();
          const model = new Map<number, string>();
          const taken: [ofTable: unknown, ofModel: unknown][] = [];
          for (const [at, step] of steps.entries()) {
            if (step.take === 0) {
              taken.push([table.take().toSorted(), [...model.values()].toSorted()]);
              model.clear();
            }
            expect(table.has(step.id)).toBe(model.has(step.id));
            expect(table.get(step.id)).toBe(model.get(step.id));
            if (!step.keep) taken.push([table.delete(step.id), model.delete(step.id)]);
            else if (!model.has(step.id)) {
              table.add(step.id, `value ${at}`);
              model.set(step.id, `value ${at}`);
            }
            expect(table.size).toBe(model.size);
          }
          for (const [ofTable, ofModel] of taken) expect(ofTable).toEqual(ofModel);
          for (const [key, value] of model) expect(table.get(key)).toBe(value);
        },
      ),
    );
  });

  it('holds many at a time, and one that stays while others come and go', () => {
    const table = new IdTable<number>();
    for (let n = 1; n <= 10_000; n += 1) table.add(n, n);
    expect(table.size).toBe(10_000);
    for (let n = 2; n <= 10_000; n += 1) expect(table.delete(n)).toBe(true);
    for (let n = 10_001; n <= 100_000; n += 1) {
      table.add(n, n);
      expect(table.delete(n)).toBe(true);
    }
    expect(table.get(1)).toBe(1);
    expect(table.take()).toEqual([1]);
  });
});
