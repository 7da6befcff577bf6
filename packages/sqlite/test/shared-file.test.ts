import { join } from 'node:path';
import { createCache } from '@pawl/caching';
import { createRunTracker, createScheduler } from '@pawl/tasks';
import { sampleRun, T0 } from '@pawl/tasks/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createSqliteCacheStore,
  createSqliteRunStore,
  createSqliteScheduleStore,
  createSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from '../src/index.ts';
import { loadSqlite } from '../src/sqlite-driver.ts';
import { openFor, recordOf, setupStore, tempFolder } from './setup-store.ts';

function setup(options: Partial<SqliteStoreOptions> = {}): {
  readonly file: string;
  readonly store: SqliteStore;
} {
  const file = options.file ?? join(tempFolder(), 'pawl.db');
  const store = createSqliteStore({ ...options, file });
  onTestFinished(() => store.close());
  return { file, store };
}

const record = recordOf('report');

describe('createSqliteStore', () => {
  it('runs what a schedule submits, and remembers its result, in one file', async () => {
    const { file, store } = setup();
    let reports = 0;
    const open = ({ runs, schedules, cache }: SqliteStore) => {
      const results = createCache<number>({ tier: cache as SqliteStore<number>['cache'] });
      const tracker = createRunTracker({
        store: runs,
        tasks: { report: () => results.getOrLoad('report', () => (reports += 1)) },
      });
      const scheduler = createScheduler({
        store: schedules,
        fire: async ({ key }) => {
          const { id } = await tracker.start({ task: 'report', idempotencyKey: key });
          await tracker.wait(id);
        },
      });
      return { results, tracker, scheduler };
    };

    const first = open(store);
    await first.tracker.start();
    await first.scheduler.start();
    await first.scheduler.save({ id: 'report', everyMs: 3_600_000 });
    const done = new Promise<void>((resolve) => {
      first.scheduler.on('run:succeeded', () => resolve());
    });
    await first.scheduler.runNow('report');
    await done;
    await first.scheduler.stop();
    await first.tracker.stop();
    await first.results.flush();
    // The stop of the tracker was not the end of the file.
    expect(await store.schedules.list()).toHaveLength(1);
    await store.close();

    const again = setup({ file }).store;
    const second = open(again);
    await second.tracker.start();
    const { runs } = await second.tracker.list({});
    expect(runs).toMatchObject([{ task: 'report', state: 'succeeded', result: 1 }]);
    expect(await again.schedules.load('report')).toMatchObject({ schedule: { everyMs: 3_600_000 } });
    const { id } = await second.tracker.start({ task: 'report' });
    expect(await second.tracker.wait(id)).toMatchObject({ result: 1 });
    expect(reports).toBe(1);
    await second.tracker.stop();
    expect(await again.integrity()).toEqual({ ok: true, problems: [] });
  });

  it.each([
    ['runs', { id: 'host-1' }, (store: SqliteStore) => openFor(store.runs, 'host-1')],
    ['schedules', { pid: process.pid }, (store: SqliteStore) => store.schedules.list()],
    ['cache', { pid: process.pid }, (store: SqliteStore) => store.cache.get('a')],
  ])('has the file alone from the first use of its %s to its close', async (_name, holder, use) => {
    const { file, store } = setup();
    const { store: other } = setup({ file });
    const { store: runs } = setupStore({ file });
    await use(store);
    await expect(other.schedules.list()).rejects.toMatchObject({ code: 'STORE_LOCKED', holder });
    await expect(openFor(runs, 'host-2')).rejects.toMatchObject({ code: 'STORE_LOCKED', holder });
    await store.close();
    await openFor(runs, 'host-2');
  });

  it('takes its lock once, and leaves it to one tracker at a time', async () => {
    const { store } = setup();
    await store.schedules.save(record);
    await store.cache.delete('a');
    await openFor(store.runs, 'host-1');
    await expect(openFor(store.runs, 'host-2')).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      holder: { id: 'host-1' },
    });
    await store.runs.add(sampleRun('a'));
    await store.runs.close();
    await expect(store.runs.get('a')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await openFor(store.runs, 'host-2');
    expect((await store.runs.get('a'))?.state).toBe('queued');
  });

  it('is closed for good, with what was asked for before stored', async () => {
    const { file, store } = setup();
    await openFor(store.runs);
    await store.schedules.save(record);
    const last = Promise.all([store.runs.add(sampleRun('a')), store.schedules.claimSlot('report', 5)]);
    await store.close();
    expect(await last).toMatchObject([{ created: true }, true]);
    const late = [
      () => store.runs.get('a'),
      () => store.schedules.list(),
      () => store.cache.get('a'),
      () => store.integrity(),
      () => openFor(store.runs),
    ];
    for (const call of late) await expect(call()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await store.close();

    const { store: next } = setup({ file });
    expect(await next.schedules.claimSlot('report', 5)).toBe(false);
  });

  it('can be used once what kept it from opening is gone', async () => {
    const { file, store } = setup();
    const holder = createSqliteRunStore({ file });
    await openFor(holder, 'host-1');
    await expect(store.schedules.list()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await holder.close();
    expect(await store.schedules.list()).toEqual([]);
  });

  it('does not count the cache among the bytes of the runs', async () => {
    const { store } = setup({ maxBytes: 400_000 });
    await openFor(store.runs);
    const cache = createCache<string>({ tier: store.cache as SqliteStore<string>['cache'] });
    await cache.set('large', 'x'.repeat(1_000_000));
    await store.runs.add(sampleRun('a'));
    await expect(
      (async () => {
        for (let run = 0; run < 100; run += 1)
          await store.runs.add(sampleRun(`large ${run}`, { input: 'x'.repeat(20_000) }));
      })(),
    ).rejects.toMatchObject({ code: 'STORE_FULL' });
  });

  it('backs up all of it', async () => {
    const { file, store } = setup();
    await openFor(store.runs);
    await store.runs.add(sampleRun('a'));
    await store.schedules.save(record);
    await store.backup(`${file}.backup`);
    const { store: copy } = setup({ file: `${file}.backup` });
    expect(await copy.schedules.load('report')).toEqual(record);
    await openFor(copy.runs, 'host-2');
    expect((await copy.runs.counts()).queued).toBe(1);
  });

  it.each([
    [{ file: '' }, TypeError, 'file'],
    [{ file: 'a', maxSlots: 999 }, RangeError, 'maxSlots'],
    [{ file: 'a', cache: { maxEntries: 0 } }, RangeError, 'maxEntries'],
    [{ file: 'a', cache: { maxByte: 1 } }, TypeError, 'did you mean `maxBytes`'],
    [{ file: 'a', maxSlot: 1 }, TypeError, 'did you mean `maxSlots`'],
  ])('refuses %j', (options, type, part) => {
    const create = (): unknown => createSqliteStore(options as SqliteStoreOptions);
    expect(create).toThrow(type);
    expect(create).toThrow(part);
  });
});

describe('a file of the first version', () => {
  it('is brought up to date with its runs kept', async () => {
    const { file, store } = setupStore();
    await openFor(store);
    await store.add(sampleRun('a'));
    await store.close();
    await makeFirstVersion(file);
    const { store: all } = setup({ file });
    await openFor(all.runs);
    expect((await all.runs.claim({ now: T0, limit: 1 })).claimed.map(({ id }) => id)).toEqual(['a']);
    await all.schedules.save(record);
    expect(await all.integrity()).toEqual({ ok: true, problems: [] });
  });

  it('is not changed under the host that has it', async () => {
    const { file, store } = setupStore();
    await openFor(store, 'host-1');
    await makeFirstVersion(file);
    const schedules = createSqliteScheduleStore({ file, busyTimeoutMs: 1 });
    onTestFinished(() => schedules.close());
    await expect(schedules.list()).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      holder: { id: 'host-1' },
      message: expect.stringMatching(
        /^The schedule store .*runs\.db is in use by process 1 on machine/,
      ) as string,
    });
    await store.close();
    expect(await schedules.list()).toEqual([]);
  });
});

describe('a file of the second version', () => {
  it('learns which runs belong to which schedule', async () => {
    const { file, store } = setup();
    await openFor(store.runs);
    for (const id of ['report', 'report-2', "o'clock%_"]) await store.schedules.save(recordOf(id));
    const slots = [
      'report@2026-03-08T07:00:00.000Z',
      'report@2026-03-09T07:00:00.000Z#1',
      'report-2@2026-03-08T07:00:00.000Z',
      "o'clock%_@2026-03-08T07:00:00.000Z",
      // These are of nobody: the schedule is gone, the key is none of a slot, there is no key.
      'removed@2026-03-08T07:00:00.000Z',
      'report@home',
      'report@2026-03-08T07:00:00.000Zulu',
      undefined,
    ];
    for (const [index, idempotencyKey] of slots.entries()) {
      await store.runs.add(sampleRun(`r${index}`, { idempotencyKey, createdAt: T0 + index }));
    }
    await store.close();
    await makeSecondVersion(file);

    const { store: later } = setup({ file });
    await openFor(later.runs);
    const idsOf = async (schedule: string): Promise<readonly string[]> =>
      (await later.runs.list({ schedule })).runs.map(({ id }) => id);
    expect(await idsOf('report')).toEqual(['r1', 'r0']);
    expect(await idsOf('report-2')).toEqual(['r2']);
    expect(await idsOf("o'clock%_")).toEqual(['r3']);
    expect(await idsOf('removed')).toEqual([]);
    expect((await later.runs.list({})).runs).toHaveLength(slots.length);
    await later.runs.add(sampleRun('new', { schedule: 'report', createdAt: T0 + 100 }));
    expect(await idsOf('report')).toEqual(['new', 'r1', 'r0']);
    expect(await later.integrity()).toEqual({ ok: true, problems: [] });
  });
});

describe('schedules and caches of other processes', () => {
  it('can be in the file of a host', async () => {
    const { file, store } = setup();
    await openFor(store.runs);
    await using schedules = createSqliteScheduleStore({ file });
    await using cache = createSqliteCacheStore({ file });
    await schedules.save(record);
    const claims = await Promise.all([schedules, store.schedules].map((each) => each.claimSlot('report', 5)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    await createCache({ tier: cache }).set('a', 1);
    expect((await store.cache.get('a'))?.value).toBe(1);
  });
});

/** Takes away what later versions brought. */
async function makeSecondVersion(file: string): Promise<void> {
  const { DatabaseSync } = await loadSqlite();
  const db = new DatabaseSync(file);
  db.exec('DROP INDEX runs_by_schedule; ALTER TABLE runs DROP COLUMN schedule;');
  db.exec('DELETE FROM migrations WHERE version > 2');
  db.close();
}

async function makeFirstVersion(file: string): Promise<void> {
  await makeSecondVersion(file);
  const { DatabaseSync } = await loadSqlite();
  const db = new DatabaseSync(file);
  const added = ['schedules', 'slot_claims', 'cache_entries', 'cache_contents', 'cache_usage'];
  db.exec(added.map((name) => `DROP TABLE ${name};`).join(''));
  db.exec('DELETE FROM migrations WHERE version > 1');
  db.close();
}
