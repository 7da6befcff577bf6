import { createDeferred, type Deferred, type Random, seededRandom } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { type CacheStore, createCache, createMemoryStore, type SyncCacheStore } from '../src/index.ts';

/** A value knows where it comes from. */
interface Value {
  readonly key: string;
  /** The step in which its loader ran, or in which it was set. */
  readonly begunAt: number;
  readonly tags: readonly string[];
}

interface Overruling {
  readonly step: number;
  readonly hits: (value: Value) => boolean;
  /** Whether its promise resolved. */
  durable: boolean;
}

const TAGS_OF: Readonly<Record<string, readonly string[]>> = { a: ['x'], b: ['x', 'y'], c: [] };
const KEYS = Object.keys(TAGS_OF);
const STEPS = 200;

/**
 * A store that is as late as a disk: what it is asked for happens, in order, when `release` says so. A read may have
 * looked when it was asked for, and deliver that late. With `mayFail` some of it fails.
 */
function createLateStore(
  inner: SyncCacheStore<Value>,
  random: Random,
  mayFail: boolean,
): { store: CacheStore<Value>; release: (count: number) => void } {
  const pending: (() => void)[] = [];
  const later = <R>(work: () => R): Promise<R> =>
    new Promise((resolve, reject) => {
      const fails = mayFail && random() < 0.1;
      pending.push(() => {
        if (fails) reject(new Error('The disk is out of order.'));
        else resolve(work());
      });
    });
  const read = (key: string): Promise<ReturnType<typeof inner.get>> => {
    if (random() < 0.5) return later(() => inner.get(key));
    const seen = inner.get(key);
    return later(() => seen);
  };
  return {
    store: {
      get: read,
      peek: read,
      set: (key, entry) => later(() => inner.set(key, entry)),
      delete: (key) => later(() => inner.delete(key)),
      deleteWhere: (matches) => later(() => inner.deleteWhere(matches)),
      clear: () => later(() => inner.clear()),
      entries: () => later(() => inner.entries()),
      usage: () => later(() => inner.usage()),
    },
    release: (count) => {
      for (const run of pending.splice(0, count)) run();
    },
  };
}

/**
 * Plays one random history on a cache with a tier, whose memory is too small for it. No read that begins after an
 * invalidation, set or delete gets a value whose load began before it; what was stored and not overruled is found
 * without a load; and what is left in the tier when the process ends at any moment was overruled by nothing whose
 * promise had resolved.
 */
async function playHistory(seed: number, mayFail: boolean): Promise<void> {
  const random: Random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const clock = createManualClock();
  const inner = createMemoryStore<Value>({ maxEntries: Infinity });
  const { store, release } = createLateStore(inner, random, mayFail);
  const tellsTags = random() < 0.5;
  const cache = createCache<Value>({ clock, maxEntries: pick([1, 2]), tier: store });

  let step = 0;
  const overrulings: Overruling[] = [];
  const expected = new Map<string, Value>();
  const waiting: Promise<unknown>[] = [];
  let open: { value: Value; deferred: Deferred<Value>; askedAt: number }[] = [];

  const isOverruled = (value: Value, until: number): boolean =>
    overrulings.some((other) => other.step > value.begunAt && other.step < until && other.hits(value));
  const check = (value: Value | undefined, key: string, askedAt: number): void => {
    if (value === undefined) return;
    expect({ seed, key: value.key }).toEqual({ seed, key });
    if (isOverruled(value, askedAt))
      throw new Error(`Seed ${seed}: stale ${key}, asked for at step ${askedAt}.`);
  };
  const overrule = (hits: Overruling['hits'], run: () => Promise<unknown>): void => {
    const overruling: Overruling = { step, hits, durable: false };
    overrulings.push(overruling);
    for (const [key, value] of expected) if (hits(value)) expected.delete(key);
    const done = run().then(
      () => {
        overruling.durable = true;
      },
      (error: unknown) => expect([mayFail, String(error)]).toEqual([true, expect.stringContaining('disk')]),
    );
    waiting.push(done);
  };

  const ask = (): void => {
    const key = pick(KEYS);
    const tags = TAGS_OF[key] ?? [];
    const askedAt = step;
    const loader = (): Promise<Value> => {
      const opened = { value: { key, begunAt: step, tags }, deferred: createDeferred<Value>(), askedAt };
      const undisturbed = !mayFail && overrulings.every((other) => other.step < askedAt);
      if (undisturbed && expected.has(key)) throw new Error(`Seed ${seed}: ${key} was lost by step ${step}.`);
      open.push(opened);
      return opened.deferred.promise;
    };
    const answer = cache.getOrLoad(key, loader, { tags: tellsTags ? (value) => value.tags : tags });
    waiting.push(answer.then((value) => check(value, key, askedAt)));
  };
  const end = (): void => {
    const load = pick(open);
    if (load === undefined) return;
    open = open.filter((other) => other !== load);
    load.deferred.resolve(load.value);
    // As long as a load may bring any tag, every invalidation by tag or predicate counts as one that hits it.
    // Nor is stored what was cut off while the tier was read for it.
    const { value, askedAt } = load;
    if (!tellsTags && !isOverruled({ ...value, begunAt: askedAt }, Infinity)) expected.set(value.key, value);
  };
  const set = (): void => {
    const key = pick(KEYS);
    const value: Value = { key, begunAt: step, tags: TAGS_OF[key] ?? [] };
    overrule(
      (other) => other.key === key,
      () => cache.set(key, value, { tags: value.tags }),
    );
    expected.set(key, value);
  };
  const remove = (): void => {
    const key = pick(KEYS);
    overrule(
      (value) => value.key === key,
      () => cache.delete(key),
    );
  };
  const byTag = (): void => {
    const tag = pick(['x', 'y', 'z']);
    overrule(
      (value) => value.tags.includes(tag),
      () => cache.invalidateTag(tag),
    );
  };
  const byPredicate = (): void => {
    const key = pick(KEYS);
    overrule(
      (value) => value.key === key && value.tags.includes('x'),
      () => cache.invalidateWhere((other, { tags }) => other === key && tags.includes('x')),
    );
  };
  const clear = (): void =>
    overrule(
      () => true,
      () => cache.clear(),
    );
  const look = (): void => {
    const key = pick(KEYS);
    check(cache.get(key), key, step);
  };
  const advance = (): void => release(1 + Math.floor(random() * 4));

  const actions = [
    ask,
    ask,
    ask,
    ask,
    end,
    end,
    look,
    set,
    remove,
    byTag,
    byPredicate,
    advance,
    advance,
    advance,
  ];
  for (step = 1; step <= STEPS; step += 1) {
    const action = random() < 0.01 ? clear : pick(actions);
    action();
    // An ended load is settled at once, so that the model knows what is stored.
    if (action === end || random() < 0.7) await clock.settle();
  }

  // Should the process die here, what waits for the disk never gets there.
  const broken = mayFail
    ? []
    : inner
        .entries()
        .flatMap(([, { value }]) =>
          overrulings.filter(
            (other) =>
              other.durable && value !== undefined && other.step > value.begunAt && other.hits(value),
          ),
        );
  expect({ seed, broken }).toEqual({ seed, broken: [] });

  // It does not: everybody is answered.
  for (let round = 0; round < 100; round += 1) {
    while (open.length > 0) end();
    release(Infinity);
    await clock.settle();
  }
  await Promise.all(waiting);
  await cache.flush();
  const { loads, loadSuccesses, loading } = cache.stats();
  expect({ seed, loading, loads }).toEqual({ seed, loading: 0, loads: loadSuccesses });
}

describe('a history of loads and invalidations with a tier', () => {
  // One history alone: PAWL_SEED=123 npx vitest run test/tier-history.test.ts
  const given = process.env['PAWL_SEED'];
  const seeds = given === undefined ? Array.from({ length: 200 }, (_, index) => index) : [Number(given)];

  it('never shows what was overruled, loses no other, and keeps to it after a crash', async () => {
    for (const seed of seeds) await playHistory(seed, false);
  });

  it('never shows what was overruled when the tier fails', async () => {
    for (const seed of seeds) await playHistory(seed, true);
  });
});
