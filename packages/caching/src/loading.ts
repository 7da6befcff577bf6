import type { Emitter } from '@pawl/core';
import { checkTags, type ResolvedCacheOptions, resolveLifetimes } from './cache-options.ts';
import type { CacheCounters } from './cache-statistics.ts';
import type { StoredEntry } from './cache-store.ts';
import { CacheLoadTimeoutError } from './caching-errors.ts';
import type { Loader, ResolvedLoadOptions } from './call-options.ts';
import type { EntryTable } from './entry-table.ts';
import type { CacheEvents } from './events.ts';
import type { Invalidation } from './invalidation.ts';
import { KeyLoad, KeyLoadContext } from './key-load.ts';
import type { Flights } from './single-flight.ts';
import type { Tier } from './tier.ts';

/** Runs the loads of one cache: one per key at a time, shared by all who ask. */
export class Loading<V> {
  readonly #options: ResolvedCacheOptions<V>;
  readonly #table: EntryTable<V>;
  readonly #loads: Flights<KeyLoad<V>>;
  readonly #invalidation: Invalidation<V>;
  readonly #counters: CacheCounters;
  readonly #events: Emitter<CacheEvents>;
  readonly #tier: Tier<V> | undefined;

  constructor(
    options: ResolvedCacheOptions<V>,
    table: EntryTable<V>,
    loads: Flights<KeyLoad<V>>,
    invalidation: Invalidation<V>,
    counters: CacheCounters,
    events: Emitter<CacheEvents>,
    tier: Tier<V> | undefined,
  ) {
    this.#options = options;
    this.#table = table;
    this.#loads = loads;
    this.#invalidation = invalidation;
    this.#counters = counters;
    this.#events = events;
    this.#tier = tier;
  }

  /** Joins the key's load, or starts one, and waits for it. */
  load(
    key: string,
    loader: Loader<V>,
    settings: ResolvedLoadOptions<V>,
    signal: AbortSignal | undefined,
  ): Promise<V> {
    const { force } = settings;
    const running = force ? undefined : this.#joinable(key, settings);
    const load = running ?? this.#add(key, settings);
    // Joined before the loader runs: one that settles or invalidates at once finds its first waiter in place.
    let outcome = load.join(signal);
    if (running === undefined) this.#begin(load, loader);
    else this.#counters.coalesced += 1;
    if (settings.limits.softTimeoutMs !== Infinity && !force && this.#table.fallback(key) !== undefined) {
      outcome = this.#untilSoftTimeout(load, outcome, settings.limits.softTimeoutMs);
    }
    return this.#options.isolate ? outcome.then((value) => this.#table.handOut(key, value)) : outcome;
  }

  /** Loads the key anew for later readers, unless that is being done or failed a moment ago. */
  refresh(key: string, loader: Loader<V>, settings: () => ResolvedLoadOptions<V>): void {
    if (this.#loads.get(key) !== undefined) return;
    const load = this.#add(key, settings());
    load.hold();
    this.#limit(load);
    this.#run(load, loader, true);
  }

  #joinable(key: string, settings: ResolvedLoadOptions<V>): KeyLoad<V> | undefined {
    const load = this.#loads.get(key);
    if (
      load === undefined ||
      !this.#invalidation.mayJoin(load, settings.tags, settings.tagsOf !== undefined)
    ) {
      return undefined;
    }
    load.adopt(settings);
    return load;
  }

  #add(key: string, settings: ResolvedLoadOptions<V>): KeyLoad<V> {
    const load = new KeyLoad<V>(key, this.#table.now(), settings, (left) => this.#abandoned(left));
    this.#loads.add(load);
    return load;
  }

  #begin(load: KeyLoad<V>, loader: Loader<V>): void {
    this.#limit(load);
    if (this.#tier === undefined || load.settings.force) this.#run(load, loader, false);
    else void this.#askTier(load, loader, this.#tier);
  }

  #limit(load: KeyLoad<V>): void {
    const { hardTimeoutMs } = load.settings.limits;
    if (load.settled || hardTimeoutMs === Infinity) return;
    load.limit = this.#options.clock.setTimer(hardTimeoutMs, () => {
      const error = new CacheLoadTimeoutError(load.key, hardTimeoutMs);
      this.#failed(load, error);
      load.abort(error);
    });
  }

  /** Takes the tier's value if it has one that can be served, and else runs the loader. Never rejects. */
  async #askTier(load: KeyLoad<V>, loader: Loader<V>, tier: Tier<V>): Promise<void> {
    const { key, settings } = load;
    const found = await tier.find(key, () => this.#invalidation.lastSelective);
    if (load.settled) return;
    if (found === undefined) {
      this.#run(load, loader, false);
      return;
    }
    const now = this.#table.now();
    try {
      // In memory it stands in for a load that fails, too.
      const kept = this.#loads.isAttached(load) && load.mayStore;
      if (kept) this.#table.put(key, this.#table.measured(key, found, settings.sizeBytes));
      if (now >= found.staleUntil) {
        this.#run(load, loader, false);
        return;
      }
      this.#end(load);
      load.resolve(found.value as V);
      if (kept && now >= found.refreshAt) this.refresh(key, loader, () => settings);
    } catch (error) {
      // A size function that throws.
      this.#failed(load, error);
    }
  }

  #run(load: KeyLoad<V>, loader: Loader<V>, background: boolean): void {
    // Its only waiter may have left.
    if (load.settled) return;
    this.#start(load, background);
    // A listener of `load:started` may have made the only waiter leave.
    if (load.settled) return;
    let result: V | PromiseLike<V>;
    try {
      result = loader(new KeyLoadContext(load.key, load, () => load.forbidStore()));
    } catch (error) {
      this.#failed(load, error);
      return;
    }
    Promise.resolve(result).then(
      (value) => this.#succeeded(load, value),
      (error: unknown) => this.#failed(load, error),
    );
  }

  #start(load: KeyLoad<V>, background: boolean): void {
    load.sequence = this.#invalidation.sequence;
    this.#counters.loads += 1;
    if (background) this.#counters.refreshes += 1;
    this.#events.emit('load:started', { key: load.key, background });
  }

  #succeeded(load: KeyLoad<V>, value: V): void {
    if (load.settled) return;
    const { key } = load;
    const attached = this.#end(load);
    let stored = false;
    try {
      if (attached && load.mayStore) stored = this.#store(load, value);
    } catch (error) {
      // A size, tags or ttl function that throws, or a value that can't be isolated.
      this.#counters.loadFailures += 1;
      this.#tellFailure(load, error, false);
      load.reject(error);
      return;
    }
    this.#counters.loadSuccesses += 1;
    if (!attached) this.#counters.loadsSuperseded += 1;
    this.#events.emit('load:succeeded', { key, durationMs: this.#table.now() - load.startedAt, stored });
    load.resolve(value);
  }

  #store(load: KeyLoad<V>, value: V): boolean {
    const { ttlOf, tagsOf, lifetimes, sizeBytes } = load.settings;
    if (tagsOf !== undefined) for (const tag of checkTags(tagsOf(value))) load.tags.add(tag);
    const entry = this.#table.entryOf(load.key, value, {
      lifetimes: ttlOf === undefined ? lifetimes : resolveLifetimes({ ttlMs: ttlOf(value) }, lifetimes),
      tags: [...load.tags],
      sizeBytes,
    });
    this.#overwriteTier(load.key, entry);
    return this.#table.put(load.key, entry);
  }

  #overwriteTier(key: string, entry: StoredEntry<V> | undefined): void {
    if (entry !== undefined) this.#tier?.writeBehind(key, entry);
    else this.#tier?.remove(key).catch(() => undefined);
  }

  #failed(load: KeyLoad<V>, error: unknown): void {
    if (load.settled) return;
    const { key, settings } = load;
    // It may have timed out while the tier was read.
    if (!load.hasStarted) this.#start(load, false);
    const attached = this.#end(load);
    this.#counters.loadFailures += 1;
    // What is cut off may not fall back on what came after it.
    const old = attached ? this.#table.fallback(key) : undefined;
    if (old !== undefined) this.#table.backOff(old);
    const servedStale = old !== undefined && !settings.force;
    if (attached && old === undefined && settings.lifetimes.negativeTtlMs > 0 && this.#mayRemember(error)) {
      const tags = [...load.tags];
      const { lifetimes } = settings;
      this.#table.put(key, this.#table.failureOf(key, error, { lifetimes, tags, sizeBytes: undefined }));
    }
    this.#tellFailure(load, error, servedStale);
    if (!servedStale) load.reject(error);
    else {
      this.#counters.staleOnError += 1;
      load.resolve(old.value as V);
    }
  }

  #untilSoftTimeout(load: KeyLoad<V>, outcome: Promise<V>, softTimeoutMs: number): Promise<V> {
    return new Promise<V>((resolve, reject) => {
      const timer = this.#options.clock.setTimer(softTimeoutMs, () => {
        // Invalidated since: then the old value is out of the question, and the load is what is left.
        const old = this.#loads.isAttached(load) ? this.#table.fallback(load.key) : undefined;
        if (old === undefined) return;
        load.hold();
        this.#counters.softTimeouts += 1;
        resolve(old.value as V);
      });
      outcome.finally(() => timer.cancel()).then(resolve, reject);
    });
  }

  #abandoned(load: KeyLoad<V>): void {
    this.#end(load);
    if (!load.hasStarted) return;
    this.#counters.loadsAbandoned += 1;
    this.#events.emit('load:abandoned', {
      key: load.key,
      durationMs: this.#table.now() - load.startedAt,
    });
  }

  /** @returns whether it could still be joined: nothing overruled it */
  #end(load: KeyLoad<V>): boolean {
    load.limit?.cancel();
    const attached = this.#loads.isAttached(load);
    this.#loads.remove(load);
    return attached;
  }

  #mayRemember(error: unknown): boolean {
    try {
      return this.#options.rememberFailure(error);
    } catch (thrown) {
      this.#options.logger.error({ err: thrown }, 'The rememberFailure function of a cache failed.');
      return false;
    }
  }

  #tellFailure(load: KeyLoad<V>, error: unknown, servedStale: boolean): void {
    const durationMs = this.#table.now() - load.startedAt;
    this.#events.emit('load:failed', { key: load.key, durationMs, error, servedStale });
  }
}
