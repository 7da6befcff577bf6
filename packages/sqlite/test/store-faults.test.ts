import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleRun, T0 } from '@pawl/tasks/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSqliteRunStore } from '../src/index.ts';
import { loadSqlite } from '../src/sqlite-driver.ts';
import { openFor, setupStore, tempFolder } from './setup-store.ts';

// Programs of the system, not of a package.
const [MOUNT, UNMOUNT] = ['mount', 'umount'] as const;

/** A folder on a disk of three megabytes, or undefined where one can't be made: that takes root on Linux. */
function tinyDisk(): string | undefined {
  const folder = tempFolder();
  const mounted = spawnSync(MOUNT, ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder]);
  if (mounted.status !== 0) return undefined;
  onTestFinished(() => void execFileSync(UNMOUNT, ['-l', folder]));
  return folder;
}

const HAS_TINY_DISK = process.platform === 'linux' && process.getuid?.() === 0;
const large = 'x'.repeat(20_000);

/** Adds large runs until the store refuses one. @returns how many it took, and why it stopped */
async function fill(
  store: ReturnType<typeof setupStore>['store'],
): Promise<{ readonly added: number; readonly error: unknown }> {
  for (let added = 0; ; added += 1) {
    try {
      await store.add(sampleRun(`fill-${added}`, { input: large }));
    } catch (error) {
      return { added, error };
    }
  }
}

/** Acts as a user who may not write everywhere: root may. */
async function withoutPrivileges<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('a full store', () => {
  it('refuses submissions, loses nothing, still ends what runs, and takes more after old runs are removed', async () => {
    const { file, store } = setupStore({ maxBytes: 600_000 });
    await openFor(store);
    await store.add(sampleRun('first'));
    await store.claim({ now: T0, limit: 1 });
    const { added, error } = await fill(store);
    expect(added).toBeGreaterThan(10);
    expect(error).toMatchObject({
      code: 'STORE_FULL',
      message: expect.stringMatching(
        /^The run store .*runs\.db takes no more runs: it has 6\d{5} bytes, 600000 are allowed\.$/,
      ) as string,
    });
    expect(String(error)).toContain(file);
    expect((await store.counts()).submitted).toBe(added + 1);
    await store.settle('first', 1, T0, { outcome: 'succeeded', result: large });
    for (let index = 0; index < 5; index += 1) await store.cancel(`fill-${index}`, T0, undefined);
    expect(await store.remove(T0 + 1, 10)).toHaveLength(6);
    await store.add(sampleRun('fits', { input: large }));
    expect(await store.integrity()).toEqual({ ok: true, problems: [] });
  });

  it.runIf(HAS_TINY_DISK)('on a full disk works again as soon as there is room', async () => {
    const folder = tinyDisk();
    if (folder === undefined) throw new Error('No tmpfs could be mounted.');
    writeFileSync(join(folder, 'other'), Buffer.alloc(2_000_000));
    const { store } = setupStore({ file: join(folder, 'runs.db') });
    await openFor(store);
    const { added, error } = await fill(store);
    expect(error).toMatchObject({ code: 'STORE_FULL' });
    expect(added).toBeGreaterThan(5);
    expect((await store.counts()).submitted).toBe(added);
    expect((await store.get(`fill-${added - 1}`))?.input).toBe(large);
    writeFileSync(join(folder, 'other'), '');
    await store.add(sampleRun('again', { input: large }));
    await store.close();
    await openFor(store);
    expect((await store.counts()).submitted).toBe(added + 1);
    expect(await store.integrity()).toEqual({ ok: true, problems: [] });
  });
});

describe('a store that can only be read', () => {
  it('is refused with the reason, and works when it may be written to again', async () => {
    const folder = tempFolder();
    const file = join(folder, 'runs.db');
    chmodSync(folder, 0o755);
    const { store } = setupStore({ file });
    await openFor(store);
    await store.add(sampleRun('a'));
    await store.close();
    chmodSync(folder, 0o555);
    const error = await withoutPrivileges(() => openFor(store).catch((caught: unknown) => caught));
    expect(error).toMatchObject({ code: 'STORE_READ_ONLY' });
    expect(String(error)).toContain(file);
    chmodSync(folder, 0o755);
    await openFor(store);
    expect((await store.get('a'))?.state).toBe('queued');
  });

  it('is refused when the file alone is read-only', async () => {
    const folder = tempFolder();
    const { file, store } = setupStore({ file: join(folder, 'runs.db') });
    await openFor(store);
    await store.close();
    chmodSync(folder, 0o777);
    chmodSync(`${file}.lock`, 0o666);
    chmodSync(file, 0o444);
    const error = await withoutPrivileges(() => openFor(store).catch((caught: unknown) => caught));
    expect(error).toMatchObject({
      code: 'STORE_READ_ONLY',
      message: expect.stringMatching(
        /can't be used: it can only be read \(attempt to write a readonly database\)\.$/,
      ) as string,
    });
  });

  it('is refused when its folder does not exist', async () => {
    const { store } = setupStore({ file: join(tempFolder(), 'missing', 'runs.db') });
    await expect(openFor(store)).rejects.toMatchObject({
      code: 'STORE_READ_ONLY',
      message: expect.stringContaining('does its folder exist') as string,
    });
  });
});

describe('a damaged store', () => {
  it('is refused, and left as it is, when it is no database', async () => {
    const { file, store } = setupStore();
    const garbage = 'not a database '.repeat(1_000);
    writeFileSync(file, garbage);
    await expect(openFor(store)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: `The run store ${file} can't be used: it is no SQLite database, or damaged; restore a backup (file is not a database).`,
    });
    expect(readFileSync(file, 'utf8')).toBe(garbage);
  });

  it('is refused when it belongs to another program, or to a later version of this one', async () => {
    const { DatabaseSync } = await loadSqlite();
    const { file, store } = setupStore();
    const other = new DatabaseSync(file);
    other.exec('CREATE TABLE bookmarks (url TEXT)');
    other.close();
    const before = readFileSync(file);
    await expect(openFor(store)).rejects.toThrow(
      `${file} is the database of another program; it was not changed.`,
    );
    expect(readFileSync(file).equals(before)).toBe(true);

    const later = setupStore();
    await openFor(later.store);
    await later.store.close();
    const db = new DatabaseSync(later.file);
    db.exec('INSERT INTO migrations VALUES (99, 0)');
    db.close();
    await expect(openFor(later.store)).rejects.toThrow(
      `has version 99, this program knows 3; it was not changed.`,
    );
  });

  it('tells of broken pages when it meets them, and in its integrity report; the backup is sound', async () => {
    const { file, store } = setupStore();
    await openFor(store);
    for (let index = 0; index < 200; index += 1)
      await store.add(sampleRun(`r${index}`, { input: large.slice(0, 2_000) }));
    const backup = `${file}.backup`;
    await store.backup(backup);
    await store.close();
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 8_192, bytes.length - 8_192);
    writeFileSync(file, bytes);
    const opened = await openFor(store).then(
      () => store.integrity(),
      (error: unknown) => error,
    );
    const met = await store.get('r100').catch((error: unknown) => error);
    expect([opened, met]).toContainEqual(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    await store.close();
    const restored = createSqliteRunStore({ file: backup });
    onTestFinished(() => restored.close());
    await openFor(restored);
    expect((await restored.counts()).queued).toBe(200);
    expect(await restored.integrity()).toEqual({ ok: true, problems: [] });
  });

  it('tells when its counts are not those of its runs', async () => {
    const { DatabaseSync } = await loadSqlite();
    const { file, store } = setupStore();
    await openFor(store);
    await store.add(sampleRun('a'));
    const db = new DatabaseSync(file);
    db.exec(`UPDATE run_counts SET runs = 7 WHERE state = 'queued'`);
    db.close();
    expect(await store.integrity()).toEqual({
      ok: false,
      problems: ['There are 1 queued runs, and 7 were counted.'],
    });
  });
});

describe('a backup', () => {
  it('is a whole store as of one moment, taken while runs come in', async () => {
    const { file, store } = setupStore();
    await openFor(store);
    for (let index = 0; index < 50; index += 1) await store.add(sampleRun(`r${index}`));
    const backup = `${file}.backup`;
    writeFileSync(backup, 'an older one');
    const [, ...added] = await Promise.all([
      store.backup(backup),
      ...Array.from({ length: 20 }, (_, index) => store.add(sampleRun(`later${index}`))),
    ]);
    expect(added).toHaveLength(20);
    const copy = createSqliteRunStore({ file: backup });
    onTestFinished(() => copy.close());
    await openFor(copy, 'host-2');
    const { queued } = await copy.counts();
    expect(queued).toBeGreaterThanOrEqual(50);
    expect(await copy.integrity()).toEqual({ ok: true, problems: [] });
    expect(existsSync(`${backup}.unfinished`)).toBe(false);
  });

  it('that can not be written says so, and leaves no half of it', async () => {
    const { file, store } = setupStore();
    await openFor(store);
    const target = join(tempFolder(), 'missing', 'backup.db');
    await expect(store.backup(target)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    mkdirSync(`${file}.folder`);
    await expect(store.backup(`${file}.folder`)).rejects.toMatchObject({ code: 'EISDIR' });
    expect(existsSync(`${file}.folder.unfinished`)).toBe(false);
    expect(statSync(`${file}.folder`).isDirectory()).toBe(true);
    await store.add(sampleRun('a'));
  });
});
