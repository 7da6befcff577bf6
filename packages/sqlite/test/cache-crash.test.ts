import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom } from '@pawl/core';
import { describe, expect, it } from 'vitest';
import { createSqliteCacheStore, type SqliteCacheStore } from '../src/index.ts';
import { type Fact, startFixture } from './host-process.ts';
import { tempFolder } from './setup-store.ts';

const KILLS = 42;
/** Writers at a time, in one file. */
const WRITERS = 3;

interface Value {
  readonly version: number;
  readonly text: string;
}

/** What a writer said last of a key, as versions. */
interface KeyReport {
  /** The last one it was about to store. */
  storing: number;
  stored: number;
  deleted: number;
  /** The last deletion it began. */
  deleting: number;
}

function note(reports: Map<string, KeyReport>, fact: Fact): void {
  for (const word of ['storing', 'stored', 'deleting', 'deleted'] as const) {
    const key = fact[word];
    if (typeof key !== 'string') continue;
    const report = reports.get(key) ?? { storing: 0, stored: 0, deleted: 0, deleting: 0 };
    reports.set(key, { ...report, [word]: Number(fact['version']) });
  }
}

/** The version found under the key, or 0; a value that is not whole throws. */
async function versionOf(store: SqliteCacheStore<Value>, key: string): Promise<number> {
  const value = (await store.get(key))?.value;
  if (value === undefined) return 0;
  const part = `${key} ${value.version};`;
  if (value.text !== part.repeat(value.text.length / part.length)) throw new Error(`${key} is not whole.`);
  return value.version;
}

describe('a cache file of several processes', () => {
  it(`is whole after ${KILLS} writers were killed at random moments`, { timeout: 120_000 }, async () => {
    const random = seededRandom(KILLS);
    const file = join(tempFolder(), 'cache.db');
    const reports = new Map<string, KeyReport>();

    for (let round = 0; round < KILLS / WRITERS; round += 1) {
      const writers = Array.from({ length: WRITERS }, (_, index) =>
        startFixture('cache-writer.mjs', [
          file,
          `${index} `,
          String(Math.floor(random() * 2 ** 31)),
          String(1 + round * 1_000_000),
        ]),
      );
      await Promise.all(
        writers.map(async (writer) => {
          const { child, ended, facts } = writer;
          await writer.told('stored');
          await wait(random() * 30);
          child.kill('SIGKILL');
          await ended;
          for (const fact of facts) note(reports, fact);
        }),
      );

      await using store = createSqliteCacheStore<Value>({ file });
      const damages: unknown[] = [];
      store.on('entry:damaged', (event) => damages.push(event));
      let found = 0;
      const broken: unknown[] = [];
      for (const [key, { stored, deleted, deleting }] of reports) {
        const version = await versionOf(store, key);
        if (version !== 0) found += 1;
        // What is there is neither overwritten nor deleted; what is not was deleted, or was about to be.
        const isRight =
          version === 0 ? deleting > stored || stored === 0 : version >= stored && version > deleted;
        if (!isRight) broken.push({ key, version, stored, deleted, deleting });
      }
      const { entries } = await store.usage();
      const { problems } = await store.integrity();
      const expected = { round, broken: [], damages: [], problems: [], entries: found };
      expect({ round, broken, damages, problems, entries }).toEqual(expected);
    }
  });
});
