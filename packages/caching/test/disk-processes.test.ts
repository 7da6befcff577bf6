import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom } from '@pawl/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDiskStore, type DiskStore } from '../src/index.ts';

const KILLS = 200;
/** Writers at a time, in one folder. */
const WRITERS = 4;
const WRITER = new URL('fixtures/disk-writer.mjs', import.meta.url).pathname;

interface Value {
  readonly version: number;
  readonly text: string;
}

/** What a writer said last of a key. */
interface KeyReport {
  stored: number;
  deleted: number;
  /** The version of the last deletion it began. */
  deleting: number;
}

interface Writer {
  readonly child: ChildProcess;
  /** Resolves when the first entry is stored. */
  readonly writing: Promise<void>;
  /** Resolves when it is gone and all it said was heard. */
  readonly ended: Promise<void>;
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-disk-processes-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

function startWriter(
  args: readonly (string | number)[],
  reports: Map<string, KeyReport> = new Map<string, KeyReport>(),
): Writer {
  const child = spawn(process.execPath, [WRITER, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const writing = new Promise<void>((resolve, reject) => {
    child.once('close', () => reject(new Error('The writer ended before it wrote.')));
    lines.on('line', (line) => {
      const [word, key = '', version] = line.split('\t');
      const report = reports.get(key) ?? { stored: 0, deleted: 0, deleting: 0 };
      reports.set(key, report);
      if (word === 'delete') report.deleting = Number(version);
      if (word === 'deleted') report.deleted = Number(version);
      if (word !== 'stored') return;
      report.stored = Number(version);
      resolve();
    });
  });
  writing.catch(() => undefined);
  const ended = Promise.all([once(child, 'close'), once(lines, 'close')]).then(() => undefined);
  return { child, writing, ended };
}

/** The version found under the key, or 0; a value that is not whole throws. */
async function versionOf(store: DiskStore<Value>, key: string): Promise<number> {
  const value = (await store.get(key))?.value;
  if (value === undefined) return 0;
  const part = `${key} ${value.version};`;
  if (value.text !== part.repeat(value.text.length / part.length)) throw new Error(`${key} is not whole.`);
  return value.version;
}

describe('a folder of several processes', () => {
  it(`is whole after ${KILLS} writers were killed at random moments`, { timeout: 240_000 }, async () => {
    const seed = Number(process.env['PAWL_SEED'] ?? Date.now() % 1_000_000);
    console.log(`PAWL_SEED=${seed}`);
    const random = seededRandom(seed);
    const folder = await makeFolder();
    const reports = new Map<string, KeyReport>();

    for (let round = 0; round < KILLS / WRITERS; round += 1) {
      const writers = Array.from({ length: WRITERS }, (_, index) => {
        const writerSeed = Math.floor(random() * 2 ** 31);
        return startWriter([folder, `${index} `, writerSeed, 1 + round * 1_000_000, Infinity], reports);
      });
      await Promise.all(
        writers.map(async ({ child, writing, ended }) => {
          try {
            await writing;
            await wait(random() * 20);
          } finally {
            child.kill('SIGKILL');
            await ended;
          }
        }),
      );

      const store = createDiskStore<Value>({ folder });
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
      const entries = (await store.entries()).length;
      expect({ seed, round, broken, damages, entries }).toEqual({
        seed,
        round,
        broken: [],
        damages: [],
        entries: found,
      });
    }
  });

  it('gives whole values to all while several write the same keys', { timeout: 60_000 }, async () => {
    const folder = await makeFolder();
    const store = createDiskStore<Value>({ folder });
    const damages: unknown[] = [];
    store.on('entry:damaged', (event) => damages.push(event));
    const writers = Array.from({ length: WRITERS }, (_, index) =>
      startWriter([folder, 'shared ', index, 1 + index * 1_000_000, 50]),
    );
    const isWriting = (): boolean =>
      writers.some(({ child }) => child.exitCode === null && child.signalCode === null);
    while (isWriting()) for (let key = 0; key < 4; key += 1) await versionOf(store, `shared ${key}`);
    await Promise.all(writers.map(({ ended }) => ended));
    expect(writers.map(({ child }) => child.exitCode)).toEqual([0, 0, 0, 0]);
    expect(damages).toEqual([]);
  });
});
