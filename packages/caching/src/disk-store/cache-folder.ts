import { randomUUID } from 'node:crypto';
import { mkdir, rename, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '@pawl/core';
import type { EntryHead, StoredEntry } from '../cache-store.ts';
import type { KnownEntry } from './disk-index.ts';
import {
  decodeContent,
  decodeRecord,
  digestOf,
  encodeRecord,
  type EntryRecord,
  indexName,
} from './entry-record.ts';
import { createFolderSync, forEachFile, ifThere, readIfThere, removeIfThere, writeNewFile } from './files.ts';

/** What is wrong with an entry: its index file, or its blob, is damaged; its blob is gone; this Node can't read its value. */
export type Damage = 'index' | 'blob' | 'blob-missing' | 'value';

/** An entry whose files are written and can't be found yet. */
export interface StagedEntry extends KnownEntry {
  /** Temporary paths. */
  readonly recordFile: string;
  readonly blobFile: string;
}

/** Files that nothing refers to are left alone for this long: another process may be about to refer to them. */
const ORPHAN_AGE_MS = 600_000;

/**
 * The files of a disk store. `index/<digest of the key>` says what is known of an entry and names its blob,
 * `blobs/<unique name>` holds its value, `temp/` what is being written.
 *
 * A file is written under a temporary name, brought to the medium, and renamed: under its final name it is whole. The
 * index file comes last, so an entry that can be found is complete; it leaves first, so a blob is never cut off from
 * a living entry. A process that dies in between leaves a file that nothing refers to.
 */
export class CacheFolder {
  readonly #index: string;
  readonly #blobs: string;
  readonly #temp: string;
  /** Brings renamed and removed index files to the medium. */
  readonly sync: () => Promise<void>;

  constructor(folder: string) {
    this.#index = join(folder, 'index');
    this.#blobs = join(folder, 'blobs');
    this.#temp = join(folder, 'temp');
    this.sync = createFolderSync(this.#index);
  }

  async stage(key: string, head: EntryHead, content: Buffer, usedAt: number): Promise<StagedEntry> {
    const blob = randomUUID();
    const record: EntryRecord = {
      key,
      head,
      blob,
      blobBytes: content.length,
      blobDigest: digestOf(content),
    };
    const recordBytes = encodeRecord(record);
    const staged: StagedEntry = {
      record,
      bytes: content.length + recordBytes.length,
      usedAt,
      recordFile: join(this.#temp, `${blob}.index`),
      blobFile: join(this.#temp, `${blob}.blob`),
    };
    const files = [
      [staged.blobFile, content],
      [staged.recordFile, recordBytes],
    ] as const;
    try {
      await this.#write(files, usedAt);
    } catch (error) {
      // There are no folders yet, or not any more.
      if (!hasCode(error, 'ENOENT')) throw error;
      for (const folder of [this.#index, this.#blobs, this.#temp]) {
        await mkdir(folder, { recursive: true, mode: 0o700 });
      }
      await this.#write(files, usedAt);
    }
    return staged;
  }

  /** Puts a staged entry in its key's place. */
  async commit({ record, recordFile, blobFile }: StagedEntry): Promise<void> {
    await rename(blobFile, join(this.#blobs, record.blob));
    await rename(recordFile, this.#pathOf(record.key));
  }

  async discard({ recordFile, blobFile }: StagedEntry): Promise<void> {
    await Promise.all([removeIfThere(recordFile), removeIfThere(blobFile)]);
  }

  /** The key's record, or undefined; `damaged` when there is a file that is none. */
  async readRecord(key: string): Promise<EntryRecord | 'damaged' | undefined> {
    const bytes = await readIfThere(this.#pathOf(key));
    if (bytes === undefined) return undefined;
    const record = decodeRecord(bytes);
    return record?.key === key ? record : 'damaged';
  }

  /** The value or failure that the record speaks of, or what is wrong with it. */
  async readContent({
    blob,
    blobDigest,
  }: EntryRecord): Promise<Pick<StoredEntry<unknown>, 'value' | 'failure'> | Damage> {
    const bytes = await readIfThere(join(this.#blobs, blob));
    if (bytes === undefined) return 'blob-missing';
    if (digestOf(bytes) !== blobDigest) return 'blob';
    return decodeContent(bytes) ?? 'value';
  }

  /** Notes the entry as used at that moment, if it is still there. */
  async touch(key: string, usedAt: number): Promise<void> {
    await ifThere(utimes(this.#pathOf(key), usedAt / 1_000, usedAt / 1_000));
  }

  /** When the entry was last used, by any process. */
  async lastUse(key: string): Promise<number | undefined> {
    return (await ifThere(stat(this.#pathOf(key))))?.mtimeMs;
  }

  async removeRecord(key: string): Promise<void> {
    await removeIfThere(this.#pathOf(key));
  }

  async removeBlobs(blobs: readonly string[]): Promise<void> {
    await Promise.all(blobs.map((blob) => removeIfThere(join(this.#blobs, blob))));
  }

  /** All entries, in no order. Damaged index files are removed, and told of. */
  async scan(tellDamaged: (file: string) => void): Promise<readonly KnownEntry[]> {
    const found: KnownEntry[] = [];
    await forEachFile(this.#index, async (name) => {
      const path = join(this.#index, name);
      const bytes = await readIfThere(path);
      const usedAt = (await ifThere(stat(path)))?.mtimeMs;
      if (bytes === undefined || usedAt === undefined) return;
      const record = decodeRecord(bytes);
      if (record !== undefined && indexName(record.key) === name) {
        found.push({ record, bytes: bytes.length + record.blobBytes, usedAt });
      } else if (await removeIfThere(path)) tellDamaged(path);
    });
    return found;
  }

  /** Removes the files that processes left behind when they died. */
  async removeOrphans(entries: readonly KnownEntry[], wallTime: number): Promise<void> {
    const alive = new Set(entries.map(({ record }) => record.blob));
    for (const folder of [this.#blobs, this.#temp]) {
      await forEachFile(folder, async (name) => {
        if (alive.has(name)) return;
        const path = join(folder, name);
        const modifiedMs = (await ifThere(stat(path)))?.mtimeMs ?? wallTime;
        if (modifiedMs < wallTime - ORPHAN_AGE_MS) await removeIfThere(path);
      });
    }
  }

  async #write(files: readonly (readonly [string, Buffer])[], modifiedMs: number): Promise<void> {
    const written = await Promise.allSettled(
      files.map(([path, bytes]) => writeNewFile(path, bytes, modifiedMs)),
    );
    const failed = written.find((each) => each.status === 'rejected');
    if (failed === undefined) return;
    await Promise.allSettled(files.map(([path]) => removeIfThere(path)));
    throw failed.reason;
  }

  #pathOf(key: string): string {
    return join(this.#index, indexName(key));
  }
}
