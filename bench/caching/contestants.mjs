// The caches that are compared, each set up as its own documentation says is fastest, with room for every key:
//   lru-cache           `max` alone: no expiry, no sizes. The storage under Pawl, bentocache and async-cache-dedupe.
//   @pawl/caching       the defaults; "ttl" and "tier" say what was added.
//   cacheable           `CacheableMemory` as primary with `useClones: false` and `lruSize`; no statistics.
//   bentocache          one memory layer with `serialize: false`; on disk its file driver behind it, without pruning.
//   async-cache-dedupe  memory storage of that `size`; its shortest time to live that outlives the round.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheKey, createCache, createDiskStore } from '@pawl/caching';
import { createCache as createDedupe } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { fileDriver } from 'bentocache/drivers/file';
import { memoryDriver } from 'bentocache/drivers/memory';
import { Cacheable, CacheableMemory, createKeyv } from 'cacheable';
import { LRUCache } from 'lru-cache';

/** Room for the keys of every case. */
const ROOM = 2_000;
const KEYS = Array.from({ length: 1_000 }, (_, index) => `user:${index}`);
const value = { id: 1, name: 'Ada' };
const load = async () => value;

/**
 * @typedef {object} Contestant
 * @property {() => unknown} run one round: `operations` operations
 * @property {() => unknown} [end]
 * @typedef {{ title: string, operations: number, contestants: Record<string, () => Contestant | Promise<Contestant>> }} Case
 */

/** One pass over the keys, without waiting. */
const pass = (operate) => ({
  run: () => {
    for (const key of KEYS) operate(key);
  },
});
/** One pass over the keys, each waited for. */
const awaited = (operate, end) => ({
  run: async () => {
    for (const key of KEYS) await operate(key);
  },
  end,
});

const filled = (cache, set = (key) => cache.set(key, value)) => {
  for (const key of KEYS) set(key);
  return cache;
};
const lru = () => new LRUCache({ max: ROOM });
const pawl = (options) => createCache({ maxEntries: ROOM, ...options });
const cacheable = () => new Cacheable({ primary: createKeyv({ useClone: false, lruSize: ROOM }) });
const bento = (...layers) => {
  const store = layers.reduce(
    (stack, layer) => stack.useL2Layer(layer),
    bentostore().useL1Layer(memoryDriver({ serialize: false, maxItems: ROOM })),
  );
  return new BentoCache({ default: 'only', stores: { only: store } });
};
const dedupe = () => {
  const cache = createDedupe({ ttl: 3_600, storage: { type: 'memory', options: { size: ROOM } } });
  return cache.define('load', load);
};
const temporaryFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
};

/** Sets what the keys hold, then calls what is measured with each. */
async function warm(cache, operate, end) {
  for (const key of KEYS) await operate(cache, key);
  return awaited((key) => operate(cache, key), end);
}

const fetching = () => new LRUCache({ max: ROOM, fetchMethod: load });
let made = 0;
/** Keys that were never used before. */
const fresh = () => {
  made += 1;
  return `new:${made}`;
};
/** A thousand callers of one new key. */
const crowd = (operate) => ({
  run: () => {
    const key = fresh();
    return Promise.all(KEYS.map(() => operate(key)));
  },
});

const small = { user: 7, page: 'home' };
const large = {
  user: { id: 7, tags: ['a', 'b'] },
  items: Array.from({ length: 100 }, (_, id) => ({ id, name: `item ${id}` })),
};
const repeated = (make) => ({
  run: () => {
    for (let call = 0; call < 1_000; call += 1) make();
  },
});
const keyContestants = (input) => ({
  'JSON.stringify + SHA-256': () =>
    repeated(() => createHash('sha256').update(JSON.stringify(input)).digest('hex')),
  'cacheKey (typed, order-free)': () => repeated(() => cacheKey(input)),
});

/** @type {readonly Case[]} */
export const cases = [
  {
    title: 'hit, synchronous',
    operations: KEYS.length,
    contestants: {
      'lru-cache get': () => {
        const cache = filled(lru());
        return pass((key) => cache.get(key));
      },
      'Pawl get': () => {
        const cache = filled(pawl());
        return pass((key) => cache.get(key));
      },
      'Pawl get, ttl': () => {
        const cache = filled(pawl({ ttlMs: 3_600_000 }));
        return pass((key) => cache.get(key));
      },
      'CacheableMemory get': () => {
        const cache = filled(new CacheableMemory({ useClone: false, lruSize: ROOM }));
        return pass((key) => cache.get(key));
      },
    },
  },
  {
    title: 'hit, through the call that loads, awaited',
    operations: KEYS.length,
    contestants: {
      'lru-cache fetch': () => warm(fetching(), (cache, key) => cache.fetch(key)),
      'Pawl getOrLoad': () => warm(pawl(), (cache, key) => cache.getOrLoad(key, load)),
      'Pawl getOrLoad, ttl': () =>
        warm(pawl({ ttlMs: 3_600_000 }), (cache, key) => cache.getOrLoad(key, load)),
      'cacheable getOrSet': () => warm(cacheable(), (cache, key) => cache.getOrSet(key, load)),
      'bentocache getOrSet': () =>
        warm(bento(), (cache, key) => cache.getOrSet({ key, factory: load, ttl: '1h' })),
      'async-cache-dedupe': () => warm(dedupe(), (cache, key) => cache.load(key)),
    },
  },
  {
    title: 'miss and load of a new key, awaited',
    operations: KEYS.length,
    contestants: {
      'lru-cache fetch': () => {
        const cache = fetching();
        return awaited(() => cache.fetch(fresh()));
      },
      'Pawl getOrLoad': () => {
        const cache = pawl();
        return awaited(() => cache.getOrLoad(fresh(), load));
      },
      'cacheable getOrSet': () => {
        const cache = cacheable();
        return awaited(() => cache.getOrSet(fresh(), load));
      },
      'bentocache getOrSet': () => {
        const cache = bento();
        return awaited(() => cache.getOrSet({ key: fresh(), factory: load, ttl: '1h' }));
      },
      'async-cache-dedupe': () => {
        const cache = dedupe();
        return awaited(() => cache.load(fresh()));
      },
    },
  },
  {
    title: 'one load for 1,000 callers, per caller',
    operations: KEYS.length,
    contestants: {
      'lru-cache fetch': () => {
        const cache = fetching();
        return crowd((key) => cache.fetch(key));
      },
      'Pawl getOrLoad': () => {
        const cache = pawl();
        return crowd((key) => cache.getOrLoad(key, load));
      },
      'cacheable getOrSet': () => {
        const cache = cacheable();
        return crowd((key) => cache.getOrSet(key, load));
      },
      'bentocache getOrSet': () => {
        const cache = bento();
        return crowd((key) => cache.getOrSet({ key, factory: load, ttl: '1h' }));
      },
      'async-cache-dedupe': () => {
        const cache = dedupe();
        return crowd((key) => cache.load(key));
      },
    },
  },
  {
    title: 'set of a key that is there',
    operations: KEYS.length,
    contestants: {
      'lru-cache set': () => {
        const cache = filled(lru());
        return pass((key) => cache.set(key, value));
      },
      'Pawl set': () => {
        const cache = filled(pawl());
        return pass((key) => cache.set(key, value));
      },
      'Pawl set, ttl and a tag': () => {
        const cache = filled(pawl({ ttlMs: 3_600_000 }));
        const options = { tags: ['team:7'] };
        return pass((key) => cache.set(key, value, options));
      },
      'CacheableMemory set': () => {
        const cache = filled(new CacheableMemory({ useClone: false, lruSize: ROOM }));
        return pass((key) => cache.set(key, value));
      },
    },
  },
  {
    title: 'hit in memory, with a disk tier behind it, awaited',
    operations: KEYS.length,
    contestants: {
      'Pawl getOrLoad, tier': async () => {
        const { folder, remove } = temporaryFolder();
        const cache = pawl({ tier: createDiskStore({ folder }) });
        const warmed = await warm(cache, (_cache, key) => cache.getOrLoad(key, load), remove);
        await cache.flush();
        return warmed;
      },
      'bentocache getOrSet, file driver': () => {
        const { folder, remove } = temporaryFolder();
        const cache = bento(fileDriver({ directory: folder, pruneInterval: false }));
        return warm(cache, (_cache, key) => cache.getOrSet({ key, factory: load, ttl: '1h' }), remove);
      },
    },
  },
  {
    title: 'read of a small value from disk, awaited',
    operations: KEYS.length,
    contestants: {
      'Pawl getOrLoad, from the tier, checked by digest': async () => {
        const { folder, remove } = temporaryFolder();
        const cache = createCache({ maxEntries: 1, tier: createDiskStore({ folder }) });
        await Promise.all(KEYS.map((key) => cache.set(key, value)));
        return awaited((key) => cache.getOrLoad(key, load), remove);
      },
      'bentocache get, file driver alone': async () => {
        const { folder, remove } = temporaryFolder();
        const driver = fileDriver({ directory: folder, pruneInterval: false });
        const cache = new BentoCache({ default: 'only', stores: { only: bentostore().useL2Layer(driver) } });
        for (const key of KEYS) await cache.set({ key, value, ttl: '1h' });
        return awaited((key) => cache.get({ key }), remove);
      },
    },
  },
  {
    title: 'write of a small value to disk, 1,000 at once',
    operations: KEYS.length,
    contestants: {
      'Pawl set, on the medium (fsync) when it resolves': () => {
        const { folder, remove } = temporaryFolder();
        const cache = pawl({ tier: createDiskStore({ folder }) });
        return { run: () => Promise.all(KEYS.map((key) => cache.set(key, value))), end: remove };
      },
      'bentocache set, file driver, no fsync': () => {
        const { folder, remove } = temporaryFolder();
        const driver = fileDriver({ directory: folder, pruneInterval: false });
        const cache = new BentoCache({ default: 'only', stores: { only: bentostore().useL2Layer(driver) } });
        return {
          run: () => Promise.all(KEYS.map((key) => cache.set({ key, value, ttl: '1h' }))),
          end: remove,
        };
      },
    },
  },
  { title: 'key of a small input', operations: 1_000, contestants: keyContestants(small) },
  { title: 'key of an input of 100 objects', operations: 1_000, contestants: keyContestants(large) },
];
