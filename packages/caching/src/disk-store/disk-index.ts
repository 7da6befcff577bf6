import type { EntryHead, KeyedHead, StoreUsage } from '../cache-store.ts';
import type { EntryRecord } from './entry-record.ts';

/** An entry as this process last saw it in the folder. */
export interface KnownEntry {
  readonly record: EntryRecord;
  /** Bytes of its two files. */
  readonly bytes: number;
  /** When it was last used, in milliseconds since the epoch: the modification time of its index file. */
  readonly usedAt: number;
}

/** Two uses are at least this far apart, in milliseconds: Node sets modification times to the microsecond, cut off. */
const USE_STEP_MS = 0.01;

/** What this process knows of the folder's entries, least recently used first. Other processes may have changed them. */
export class DiskIndex {
  readonly #known = new Map<string, KnownEntry>();
  #bytes = 0;
  #lastUse = 0;

  get usage(): StoreUsage {
    return { entries: this.#known.size, bytes: this.#bytes };
  }

  /** A moment of use, later than every one before it: the order of use is exact within one process. */
  nextUse(wallTime: number): number {
    this.#lastUse = Math.max(wallTime, this.#lastUse + USE_STEP_MS);
    return this.#lastUse;
  }

  /** Takes what a look into the folder found in place of what was known. */
  replaceAll(found: readonly KnownEntry[]): void {
    this.#known.clear();
    this.#bytes = 0;
    for (const entry of found.toSorted((a, b) => a.usedAt - b.usedAt)) {
      this.put(entry);
      this.#lastUse = Math.max(this.#lastUse, entry.usedAt);
    }
  }

  /** Notes an entry as the most recently used one, in place of what its key held. */
  put(entry: KnownEntry): void {
    const { key } = entry.record;
    this.remove(key);
    this.#known.set(key, entry);
    this.#bytes += entry.bytes;
  }

  /** Whether a modification time is later than the use that is known. */
  isLater(usedAt: number, known: KnownEntry): boolean {
    return usedAt > known.usedAt + USE_STEP_MS / 2;
  }

  /** Notes that the entry was used, if it is the one that is known. */
  touch(record: EntryRecord, usedAt: number): void {
    const entry = this.#known.get(record.key);
    if (entry?.record.blob === record.blob) this.put({ ...entry, usedAt });
  }

  remove(key: string): void {
    const entry = this.#known.get(key);
    if (entry === undefined) return;
    this.#known.delete(key);
    this.#bytes -= entry.bytes;
  }

  /** Least recently used first; entries that are put back while one walks through come again, at the end. */
  values(): IterableIterator<KnownEntry> {
    return this.#known.values();
  }

  heads(): readonly KeyedHead[] {
    return [...this.#known.values()].map(({ record }): readonly [string, EntryHead] => [
      record.key,
      record.head,
    ]);
  }
}
