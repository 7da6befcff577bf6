import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDispatcher, type Place } from './dispatcher.ts';

interface TestPlace extends Place {
  load: number;
}

const place = (id: string): TestPlace => ({
  id,
  runsAtOnce: 1,
  rssBytes: undefined,
  healthClass: 'healthy',
  failureRate: 0,
  load: 0,
  level: -1,
  indexInLevel: 0,
});
const run = { task: 'any' };

describe('createDispatcher', () => {
  it('always gives one with room that has the least load', () => {
    const change = fc.record({ which: fc.nat({ max: 5 }), load: fc.nat({ max: 4 }), hasRoom: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const dispatcher = createDispatcher<TestPlace>();
        const places = ['a', 'b', 'c', 'd', 'e', 'f'].map(place);
        const open = new Set<TestPlace>();
        for (const { which, load, hasRoom } of changes) {
          const each = places[which] ?? place('none');
          each.load = load;
          dispatcher.update(each, hasRoom);
          if (hasRoom) open.add(each);
          else open.delete(each);
          const least = Math.min(...[...open].map((other) => other.load));
          const next = dispatcher.next(run);
          expect(next?.load).toBe(open.size === 0 ? undefined : least);
          expect(next === undefined || open.has(next)).toBe(true);
        }
      }),
    );
  });

  it('gives the one that was used last, so that the others can time out', () => {
    const dispatcher = createDispatcher<TestPlace>();
    const [a, b] = [place('a'), place('b')];
    dispatcher.update(a, true);
    dispatcher.update(b, true);
    for (const each of [a, a, a]) {
      each.load = 1;
      dispatcher.update(each, false);
      each.load = 0;
      dispatcher.update(each, true);
      expect(dispatcher.next(run)).toBe(a);
    }
  });
});
