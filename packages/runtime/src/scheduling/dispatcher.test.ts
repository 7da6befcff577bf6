import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balancers } from './balancing/balancers.ts';
import { createBalancedDispatcher, createDispatcher, type Place } from './dispatcher.ts';

interface TestPlace extends Place {
  load: number;
  healthClass: Place['healthClass'];
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

  it('gives a degraded one only where no other has as little to do', () => {
    const dispatcher = createDispatcher<TestPlace>();
    const [ill, well] = [place('ill'), place('well')];
    ill.healthClass = 'degraded';
    const update = (each: TestPlace, load: number): void => {
      each.load = load;
      dispatcher.update(each, true);
    };
    update(well, 0);
    update(ill, 0);
    expect(dispatcher.next(run)).toBe(well);
    update(well, 1);
    expect(dispatcher.next(run)).toBe(ill);
    update(ill, 1);
    expect(dispatcher.next(run)).toBe(well);
    // It gets better, and is the one that was used last.
    ill.healthClass = 'healthy';
    update(ill, 1);
    expect(dispatcher.next(run)).toBe(ill);
  });

  const { roundRobin, leastLoaded, weightedRoundRobin, powerOfTwo } = balancers;
  it.each(Object.entries({ roundRobin, leastLoaded, weightedRoundRobin, powerOfTwo }))(
    'by the balancer %s, too',
    (_name, create) => {
      const dispatcher = createBalancedDispatcher<TestPlace>(create, () => 0.5);
      const [ill, well] = [place('ill'), place('well')];
      ill.healthClass = 'degraded';
      for (const each of [ill, well]) dispatcher.update(each, true);
      expect(dispatcher.next(run)).toBe(well);
      dispatcher.update(well, false);
      expect(dispatcher.next(run)).toBe(ill);
      ill.healthClass = 'unhealthy';
      dispatcher.update(ill, true);
      expect(dispatcher.next(run)).toBeUndefined();
    },
  );

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
