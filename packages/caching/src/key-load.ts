import type { Timer } from '@pawl/core';
import type { LoadContext, ResolvedLoadOptions } from './call-options.ts';
import { Flight } from './single-flight.ts';

/** A flight that loads the value of a cache key, with what decides whether and how the value is stored. */
export class KeyLoad<V> extends Flight<V> {
  readonly settings: ResolvedLoadOptions<V>;
  /** The number of the last invalidation before the loader ran; undefined as long as it has not. */
  sequence: number | undefined;
  /** The tags of all who joined. */
  readonly tags: Set<string>;
  /** Whether every caller so far asked not to store the value. */
  #isPrivate: boolean;
  /** Whether the loader did. */
  #isForbidden = false;
  /** Fires at the hard timeout. */
  limit: Timer | undefined;

  constructor(
    key: string,
    startedAt: number,
    settings: ResolvedLoadOptions<V>,
    onAbandoned: (load: KeyLoad<V>) => void,
  ) {
    super(key, startedAt, () => onAbandoned(this));
    this.settings = settings;
    this.tags = new Set(settings.tags);
    this.#isPrivate = settings.noStore;
  }

  /** Whether somebody wants the value stored and the loader does not mind. */
  get mayStore(): boolean {
    return !this.#isPrivate && !this.#isForbidden;
  }

  forbidStore(): void {
    this.#isForbidden = true;
  }

  /** Takes in what one more caller asks for. */
  adopt(settings: ResolvedLoadOptions<V>): void {
    for (const tag of settings.tags) this.tags.add(tag);
    if (!settings.noStore) this.#isPrivate = false;
  }

  /** Whether the loader ran. Before that, what invalidates can't have missed its value. */
  get hasStarted(): boolean {
    return this.sequence !== undefined;
  }

  /** Whether its value may turn out to carry tags that are not known yet. */
  get hasOpenTags(): boolean {
    return this.settings.tagsOf !== undefined;
  }
}

/** What the loader sees of its load. The signal is made when it is asked for: making one costs more than a load. */
export class KeyLoadContext implements LoadContext {
  readonly key: string;
  readonly doNotStore: () => void;
  readonly #source: { readonly signal: AbortSignal };

  constructor(key: string, source: { readonly signal: AbortSignal }, doNotStore: () => void) {
    this.key = key;
    this.#source = source;
    this.doNotStore = doNotStore;
  }

  get signal(): AbortSignal {
    return this.#source.signal;
  }
}
