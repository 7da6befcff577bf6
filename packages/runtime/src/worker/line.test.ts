import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Line, type LineItem } from './line.ts';

interface Item extends LineItem<Item> {
  readonly number: number;
}

const item = (number: number): Item => ({ number, isInLine: false, previous: undefined, next: undefined });

function numbersOf(line: Line<Item>): readonly number[] {
  const numbers: number[] = [];
  for (let each = line.first; each !== undefined; each = each.next) numbers.push(each.number);
  return numbers;
}

it('keeps the order of arrival, whoever leaves', () => {
  const step = fc.oneof(fc.constant('add' as const), fc.nat({ max: 30 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const line = new Line<Item>();
      const items: Item[] = [];
      const stood: boolean[] = [];
      const shouldHaveStood: boolean[] = [];
      let expected: number[] = [];
      for (const each of steps) {
        if (each === 'add') {
          const added = item(items.length);
          items.push(added);
          line.add(added);
          expected.push(added.number);
        } else {
          const leaving = items[each];
          stood.push(leaving !== undefined && line.remove(leaving));
          shouldHaveStood.push(expected.includes(each));
          expected = expected.filter((number) => number !== each);
        }
        expect([numbersOf(line), line.size]).toEqual([expected, expected.length]);
      }
      expect(stood).toEqual(shouldHaveStood);
    }),
  );
});

it('lets go of what has left, so that it keeps nothing else alive', () => {
  const line = new Line<Item>();
  const [first, second] = [item(1), item(2)];
  line.add(first);
  line.add(second);
  line.remove(first);
  expect(first).toEqual(item(1));
  line.add(first);
  expect(numbersOf(line)).toEqual([2, 1]);
});
