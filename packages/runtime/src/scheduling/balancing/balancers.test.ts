import { seededRandom } from '@pawl/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HealthClass } from '../../process/health.ts';
import { type Balancer, type Candidate, hasRoom } from './balancer.ts';
import { balancers } from './balancers.ts';
import { loadScore } from './least-loaded.ts';

const STRATEGIES = {
  roundRobin: balancers.roundRobin,
  leastLoaded: balancers.leastLoaded,
  weightedRoundRobin: balancers.weightedRoundRobin,
  powerOfTwo: balancers.powerOfTwo,
  sticky: balancers.sticky(),
};

const worker = (id: string, more: Partial<Candidate> = {}): Candidate => ({
  id,
  inFlight: 0,
  maxInFlight: 1,
  health: 'healthy',
  ...more,
});

function setup(strategy: keyof typeof STRATEGIES, candidates: readonly Candidate[] = []): Balancer {
  const balancer = STRATEGIES[strategy]<Candidate>({ random: seededRandom(7) });
  for (const candidate of candidates) balancer.set(candidate);
  return balancer;
}

const picks = (balancer: Balancer, count: number): (string | undefined)[] =>
  Array.from({ length: count }, () => balancer.pick()?.id);

const countOf = <T>(items: readonly T[], item: T): number => items.filter((each) => each === item).length;

const ids = ['a', 'b', 'c', 'd', 'e'];
const candidateOf = fc.record({
  id: fc.constantFrom(...ids),
  inFlight: fc.nat({ max: 4 }),
  maxInFlight: fc.integer({ min: 1, max: 4 }),
  health: fc.constantFrom<HealthClass>('healthy', 'degraded', 'unhealthy', 'unknown'),
  weight: fc.integer({ min: 1, max: 9 }),
  memoryBytes: fc.nat({ max: 2 ** 34 }),
  cpu: fc.double({ min: 0, max: 4, noNaN: true }),
  failureRate: fc.double({ min: 0, max: 1, noNaN: true }),
  idleMs: fc.nat({ max: 1_000_000 }),
});

describe.each(Object.keys(STRATEGIES) as (keyof typeof STRATEGIES)[])('balancers.%s', (strategy) => {
  it('gives a worker with room whenever there is one, the latest word on it, and a fit one first', () => {
    const change = fc.oneof(
      { weight: 4, arbitrary: candidateOf.map((candidate) => ({ do: 'set' as const, candidate })) },
      { weight: 1, arbitrary: fc.constantFrom(...ids).map((id) => ({ do: 'delete' as const, id })) },
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const balancer = setup(strategy);
        const known = new Map<string, Candidate>();
        for (const each of changes) {
          if (each.do === 'set') {
            balancer.set(each.candidate);
            known.set(each.candidate.id, each.candidate);
          } else {
            balancer.delete(each.id);
            known.delete(each.id);
          }
          const open = [...known.values()].filter(hasRoom);
          const fit = open.filter(({ health }) => health !== 'degraded');
          const picked = balancer.pick();
          expect(picked !== undefined).toBe(open.length > 0);
          expect(picked === undefined || (fit.length > 0 ? fit : open).includes(picked)).toBe(true);
        }
      }),
    );
  });

  it('has nothing to give without workers', () => {
    const balancer = setup(strategy);
    expect(balancer.pick()).toBeUndefined();
    balancer.set(worker('a'));
    balancer.delete('a');
    balancer.delete('a');
    expect(balancer.pick()).toBeUndefined();
  });

  it('gives a worker again that has become healthy', () => {
    const balancer = setup(strategy, [worker('a', { health: 'unhealthy' })]);
    expect(balancer.pick()).toBeUndefined();
    balancer.set(worker('a', { health: 'degraded' }));
    expect(balancer.pick()?.id).toBe('a');
    balancer.set(worker('a'));
    expect(balancer.pick()?.id).toBe('a');
  });

  it('spreads the runs of 64 workers with room for four each over all of them, and never overfills one', () => {
    const load = new Map<string, number>();
    const of = (id: string): Candidate => worker(id, { inFlight: load.get(id) ?? 0, maxInFlight: 4 });
    const workers = Array.from({ length: 64 }, (_, index) => `w${index}`);
    const balancer = setup(strategy, workers.map(of));
    for (let run = 0; run < 256; run += 1) {
      const id = balancer.pick()?.id ?? '';
      load.set(id, (load.get(id) ?? 0) + 1);
      balancer.set(of(id));
    }
    expect(workers.map((id) => load.get(id))).toEqual(workers.map(() => 4));
    expect(balancer.pick()).toBeUndefined();
  });
});

describe('balancers.roundRobin', () => {
  it('gives each its turn before any its second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 }), (size, rounds) => {
        const workers = Array.from({ length: size }, (_, index) => worker(`w${index}`));
        const balancer = setup('roundRobin', workers);
        const expected = workers.map(({ id }) => id);
        for (let round = 0; round < rounds; round += 1) expect(picks(balancer, size)).toEqual(expected);
      }),
    );
  });
});

describe('balancers.leastLoaded', () => {
  it('gives the one with the lowest score', () => {
    fc.assert(
      fc.property(fc.uniqueArray(candidateOf, { selector: ({ id }) => id, minLength: 1 }), (all) => {
        const candidates = all.map((each) => ({ ...each, health: 'healthy' as const }));
        const balancer = setup('leastLoaded', candidates);
        const open = candidates.filter(hasRoom);
        const lowest = Math.min(...open.map(loadScore));
        const picked = balancer.pick();
        expect(picked === undefined ? Infinity : loadScore(picked)).toBe(lowest);
      }),
    );
  });

  it.each([
    [{ inFlight: 1, maxInFlight: 4 }, 250],
    [{ memoryBytes: 100 * 1024 * 1024 }, 10],
    [{ cpu: 1.5 }, 15],
    [{ failureRate: 0.5 }, 500],
    [{ idleMs: 300_000 }, 0],
    [{ idleMs: 301_000 }, 301],
  ])('scores %j with %d', (facts, score) => {
    expect(loadScore(worker('a', facts))).toBe(score);
  });
});

describe('balancers.weightedRoundRobin', () => {
  const weightsOf = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });

  it('gives each exactly its weight in every cycle, and at no point far from it', () => {
    fc.assert(
      fc.property(weightsOf, (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const balancer = setup(
          'weightedRoundRobin',
          weights.map((weight, index) => worker(`w${index}`, { weight })),
        );
        const order = picks(balancer, 3 * total);
        for (const [index, weight] of weights.entries()) {
          const counts = order.map((_, at) => countOf(order.slice(0, at + 1), `w${index}`));
          for (const cycle of [1, 2, 3]) expect(counts[cycle * total - 1]).toBe(cycle * weight);
          const distances = counts.map((count, at) => Math.abs(count - ((at + 1) * weight) / total));
          expect(Math.max(...distances)).toBeLessThan(2);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('spreads the turns of a heavy one', () => {
    const weights = { a: 5, b: 1, c: 1 };
    const balancer = setup(
      'weightedRoundRobin',
      Object.entries(weights).map(([id, weight]) => worker(id, { weight })),
    );
    expect(picks(balancer, 14).join('')).toBe('abaaacaabaaaca');
  });

  it('keeps the shares when workers are full in between', () => {
    const weights = new Map([
      ['a', 3],
      ['b', 1],
    ]);
    const balancer = setup('weightedRoundRobin');
    const of = (id: string, inFlight: number): Candidate =>
      worker(id, { inFlight, maxInFlight: 2, weight: weights.get(id) ?? 1 });
    for (const id of weights.keys()) balancer.set(of(id, 0));
    const order: string[] = [];
    for (let run = 0; run < 40; run += 1) {
      const id = balancer.pick()?.id ?? '';
      order.push(id);
      balancer.set(of(id, 2));
      balancer.set(of(id, 0));
    }
    expect(countOf(order, 'a')).toBe(30);
  });

  it('follows a weight that changes', () => {
    const balancer = setup('weightedRoundRobin', [worker('a', { weight: 1 }), worker('b', { weight: 1 })]);
    picks(balancer, 10);
    balancer.set(worker('a', { weight: 4 }));
    expect(countOf(picks(balancer, 50), 'a')).toBe(40);
  });
});

describe('balancers.powerOfTwo', () => {
  it('never gives the most loaded one, and all others at times', () => {
    const loads = [0, 1, 2, 3, 4];
    const balancer = setup(
      'powerOfTwo',
      loads.map((inFlight) => worker(`w${inFlight}`, { inFlight, maxInFlight: 5 })),
    );
    const order = picks(balancer, 2_000);
    const counts = loads.map((load) => countOf(order, `w${load}`));
    expect(counts[4]).toBe(0);
    expect(counts.slice(0, 4)).toEqual(counts.slice(0, 4).toSorted((a, b) => (b ?? 0) - (a ?? 0)));
    expect(counts[3]).toBeGreaterThan(0);
  });
});

describe('balancers.sticky', () => {
  const workers = Array.from({ length: 8 }, (_, index) => worker(`w${index}`, { maxInFlight: 1_000 }));
  const keys = Array.from({ length: 1_000 }, (_, index) => `key-${index}`);
  const ownersOf = (balancer: Balancer): (string | undefined)[] =>
    keys.map((key) => balancer.pick({ task: 't', key })?.id);

  it('gives a key the same worker, in whatever order they came', () => {
    expect(ownersOf(setup('sticky', workers))).toEqual(ownersOf(setup('sticky', workers.toReversed())));
  });

  it('gives every worker its share of the keys', () => {
    const owners = ownersOf(setup('sticky', workers));
    for (const { id } of workers) {
      expect(countOf(owners, id)).toBeGreaterThan(60);
      expect(countOf(owners, id)).toBeLessThan(220);
    }
  });

  it('moves only the keys of one that leaves, or is unhealthy, and gives them back', () => {
    const balancer = setup('sticky', workers);
    const before = ownersOf(balancer);
    for (const change of [
      () => balancer.delete('w3'),
      () => balancer.set(worker('w3', { health: 'unhealthy' })),
    ]) {
      change();
      const after = ownersOf(balancer);
      expect(after).not.toContain('w3');
      expect(after.filter((owner, index) => owner !== before[index])).toHaveLength(countOf(before, 'w3'));
      balancer.set(worker('w3', { maxInFlight: 1_000 }));
      expect(ownersOf(balancer)).toEqual(before);
    }
  });

  it('lets a run wait for its worker, and one without a key go to any', () => {
    const balancer = setup('sticky', workers);
    const owner = balancer.pick({ task: 't', key: 'mine' });
    if (owner === undefined) throw new Error('No owner.');
    balancer.set({ ...owner, inFlight: 1_000 });
    expect(balancer.pick({ task: 't', key: 'mine' })).toBeUndefined();
    expect(balancer.pick({ task: 't' })?.id).not.toBe(owner.id);
    balancer.set(owner);
    expect(balancer.pick({ task: 't', key: 'mine' })).toBe(owner);
  });

  it('takes the key from wherever it is told', () => {
    const balancer = balancers.sticky(({ task }) => task)({ random: seededRandom(1) });
    for (const each of workers) balancer.set(each);
    const owner = balancer.pick({ task: 'resize', key: 'x' })?.id;
    expect(balancer.pick({ task: 'resize', key: 'y' })?.id).toBe(owner);
    expect(() => balancers.sticky('key' as never)).toThrow(/`keyOf` to be a function/);
  });
});
