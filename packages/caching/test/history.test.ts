import { createDeferred, type Deferred, type Random, seededRandom } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { createCache } from '../src/index.ts';

/** A value knows where it comes from. */
interface Value {
  readonly key: string;
  /** The step in which its load or set began. */
  readonly begunAt: number;
  readonly tags: Set<string>;
}

interface OpenLoad {
  readonly value: Value;
  readonly deferred: Deferred<Value>;
  readonly signal: AbortSignal;
}

interface Overruling {
  readonly step: number;
  readonly hits: (value: Value) => boolean;
}

const KEYS = ['a', 'b', 'c'];
const TAGS = ['x', 'y', 'z'];
const STEPS = 150;

/**
 * Plays one random history and checks every read against what happened, by the rules alone: no read that began
 * after an invalidation (or a set or delete of the key) gets a value whose load began before it; and what was
 * loaded or set and not overruled is there.
 */
async function playHistory(seed: number): Promise<void> {
  const random: Random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const someTags = (): string[] => TAGS.filter(() => random() < 0.3);
  const clock = createManualClock();
  const cache = createCache<Value>({ clock, maxEntries: Infinity });

  let step = 0;
  const overrulings: Overruling[] = [];
  let open: OpenLoad[] = [];
  /** Loads that ended and may not have reached the cache yet, in order. */
  let ended: OpenLoad[] = [];
  /** The load each key's callers may join. */
  const joinable = new Map<string, OpenLoad>();
  const expected = new Map<string, Value>();
  const waiting = new Set<Promise<unknown>>();
  const leavers: AbortController[] = [];

  const overruled = (value: Value, until: number): boolean =>
    overrulings.some((other) => other.step > value.begunAt && other.step < until && other.hits(value));
  const checkRead = (value: Value | undefined, key: string, readAt: number): void => {
    if (value === undefined) return;
    expect({ seed, step, key: value.key }).toEqual({ seed, step, key });
    if (overruled(value, readAt)) throw new Error(`Seed ${seed}: stale read of ${key} at step ${readAt}.`);
  };
  const overrule = (hits: Overruling['hits'], run: () => void): void => {
    overrulings.push({ step, hits });
    for (const [key, load] of joinable) if (hits(load.value)) joinable.delete(key);
    for (const [key, value] of expected) if (hits(value)) expected.delete(key);
    run();
  };
  const settle = async (): Promise<void> => {
    await clock.settle();
    for (const load of ended) {
      const { key } = load.value;
      if (joinable.get(key) !== load) continue;
      joinable.delete(key);
      expected.set(key, load.value);
    }
    ended = [];
    for (const key of KEYS) {
      expect({ seed, step, value: cache.peek(key) }).toEqual({ seed, step, value: expected.get(key) });
    }
  };

  const read = (): void => {
    const key = pick(KEYS);
    checkRead(cache.get(key), key, step);
  };
  const ask = (): void => {
    const key = pick(KEYS);
    const tags = someTags();
    const force = random() < 0.1;
    const begunAt = step;
    const leaver = random() < 0.4 ? new AbortController() : undefined;
    if (leaver !== undefined) leavers.push(leaver);
    const wasStored = !force && expected.has(key);
    let ran = false;
    const waiter = cache.getOrLoad(
      key,
      ({ signal }) => {
        ran = true;
        const value = { key, begunAt, tags: new Set(tags) };
        const opened = { value, deferred: createDeferred<Value>(), signal };
        open.push(opened);
        joinable.set(key, opened);
        return opened.deferred.promise;
      },
      { tags, force, signal: leaver?.signal },
    );
    if (!ran && !wasStored) {
      const joined = joinable.get(key);
      if (joined === undefined) throw new Error(`Seed ${seed}: step ${step} joined a load that was cut off.`);
      for (const tag of tags) joined.value.tags.add(tag);
    }
    const done = waiter.then(
      (value) => checkRead(value, key, begunAt),
      (error: unknown) => expect(['failed', 'left']).toContain(error),
    );
    waiting.add(done);
  };
  const end = (): void => {
    const load = pick(open);
    if (load === undefined) return;
    open = open.filter((other) => other !== load);
    if (random() < 0.2) {
      load.deferred.reject('failed');
      if (joinable.get(load.value.key) === load) joinable.delete(load.value.key);
      failed = true;
    } else {
      load.deferred.resolve(load.value);
      ended.push(load);
    }
  };
  let failed = false;
  const leave = (): void => {
    pick(leavers)?.abort('left');
    for (const [key, load] of joinable) if (load.signal.aborted) joinable.delete(key);
  };
  const set = (): void => {
    const key = pick(KEYS);
    const tags = someTags();
    const value = { key, begunAt: step, tags: new Set(tags) };
    overrule(
      (other) => other.key === key,
      () => void cache.set(key, value, { tags }),
    );
    expected.set(key, value);
  };
  const remove = (): void => {
    const key = pick(KEYS);
    overrule(
      (value) => value.key === key,
      () => void cache.delete(key),
    );
  };
  const byTag = (): void => {
    const tag = pick(TAGS);
    overrule(
      (value) => value.tags.has(tag),
      () => void cache.invalidateTag(tag),
    );
  };
  const byPredicate = (): void => {
    const key = pick(KEYS);
    const tag = pick(TAGS);
    overrule(
      (value) => value.key === key && value.tags.has(tag),
      () => void cache.invalidateWhere((other, { tags }) => other === key && tags.includes(tag)),
    );
  };
  const clear = (): void =>
    overrule(
      () => true,
      () => cache.clear(),
    );

  const actions = [read, ask, ask, ask, ask, end, end, end, leave, set, remove, byTag, byTag, byPredicate];
  for (step = 1; step <= STEPS; step += 1) {
    (random() < 0.02 ? clear : pick(actions))();
    // A failure is settled at once, so that the model need not know a failed load that still looks joinable.
    if (failed || random() < 0.5) await settle();
    failed = false;
  }
  while (open.length > 0) end();
  await settle();
  await Promise.all(waiting);
  const stats = cache.stats();
  expect(stats).toMatchObject({ loading: 0, gets: stats.hits + stats.misses, entries: expected.size });
  expect(stats.loads).toBe(stats.loadSuccesses + stats.loadFailures + stats.loadsAbandoned);
}

describe('a history of loads and invalidations', () => {
  // One history alone: PAWL_SEED=123 npx vitest run test/history.test.ts
  const given = process.env['PAWL_SEED'];
  const seeds = given === undefined ? Array.from({ length: 200 }, (_, index) => index) : [Number(given)];

  it('never shows a value whose load began before it was overruled, and loses no other', async () => {
    for (const seed of seeds) await playHistory(seed);
  });
});
