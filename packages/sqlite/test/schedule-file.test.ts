import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createSqliteScheduleStore,
  type SqliteScheduleStore,
  type SqliteScheduleStoreOptions,
} from '../src/index.ts';
import { loadSqlite } from '../src/sqlite-driver.ts';
import { recordOf, tempFolder } from './setup-store.ts';

function setup(options: Partial<SqliteScheduleStoreOptions> = {}): {
  readonly file: string;
  readonly store: SqliteScheduleStore;
} {
  const file = options.file ?? join(tempFolder(), 'schedules.db');
  const store = createSqliteScheduleStore({ ...options, file });
  onTestFinished(() => store.close());
  return { file, store };
}

/** How many claims are kept. */
async function countClaims(file: string): Promise<number> {
  const { DatabaseSync } = await loadSqlite();
  const db = new DatabaseSync(file);
  const claims = db.prepare('SELECT count(*) AS claims FROM slot_claims').get()?.['claims'];
  db.close();
  return Number(claims);
}

describe('createSqliteScheduleStore', () => {
  it('keeps schedules and claims across a restart', async () => {
    const { file, store } = setup();
    await store.save(recordOf('a'));
    expect(await store.claimSlot('a', 5)).toBe(true);
    await store.update('a', { handledUntil: 5, runs: 1 });
    await store.close();
    const { store: later } = setup({ file });
    expect(await later.load('a')).toMatchObject({ state: { handledUntil: 5, runs: 1 } });
    expect(await later.claimSlot('a', 5)).toBe(false);
    expect(await later.claimSlot('a', 6)).toBe(true);
  });

  it('gives a slot to one of all that have the file open', async () => {
    const { file, store } = setup();
    await store.save(recordOf('a'));
    const stores = [store, ...Array.from({ length: 4 }, () => setup({ file }).store)];
    for (let slot = 0; slot < 10; slot += 1) {
      const claims = await Promise.all(stores.map((each) => each.claimSlot('a', slot)));
      expect(claims.filter(Boolean)).toHaveLength(1);
    }
  });

  it('forgets the earliest claims beyond its limit, of each schedule by itself', async () => {
    const { file, store } = setup({ maxSlots: 1_000 });
    await store.save(recordOf('a'));
    await store.save(recordOf('b'));
    await store.claimSlot('b', 0);
    await Promise.all(Array.from({ length: 1_500 }, (_, slot) => store.claimSlot('a', slot)));
    expect(await countClaims(file)).toBe(1_001);
    expect(await store.claimSlot('a', 500)).toBe(false);
    expect(await store.claimSlot('b', 0)).toBe(false);
    expect(await store.claimSlot('a', 499)).toBe(true);
    expect(await countClaims(file)).toBe(1_001);
  });

  it('removes the claims of a schedule with it, and leaves those of others', async () => {
    const { file, store } = setup();
    for (const id of ['a', 'b']) {
      await store.save(recordOf(id));
      await store.claimSlot(id, 5);
    }
    await store.remove('b');
    expect(await countClaims(file)).toBe(1);
    await store.save(recordOf('c'));
    expect(await store.claimSlot('c', 5)).toBe(true);
    expect(await store.claimSlot('a', 5)).toBe(false);
  });

  it('tells ids apart that differ in half a surrogate pair', async () => {
    const { store } = setup();
    const ids = ['\ud800', '\ud801', '\ufffd', '\u{10000}', '\uff5e'];
    for (const id of ids) await store.save(recordOf(id));
    expect((await store.list()).map(({ schedule }) => schedule.id)).toEqual(ids.toSorted());
    for (const id of ids) expect(await store.claimSlot(id, 1)).toBe(true);
  });

  it('opens its file when it is first used, and not after it was closed', async () => {
    const { file, store } = setup();
    await store.close();
    await expect(store.list()).rejects.toMatchObject({
      code: 'STORE_CLOSED',
      message: `The schedule store ${file} is closed.`,
    });
  });

  it('refuses what JSON does not hold, and a file that is not there', async () => {
    const { store } = setup();
    await expect(
      store.save({ ...recordOf('a'), schedule: { id: 'a', everyMs: 1, payload: 1n } }),
    ).rejects.toThrow(TypeError);
    const missing = setup({ file: join(tempFolder(), 'missing', 'schedules.db') }).store;
    await expect(missing.list()).rejects.toMatchObject({
      code: 'STORE_READ_ONLY',
      message: expect.stringMatching(/^The schedule store .* can't be used/) as string,
    });
  });

  it.each([
    [{}, TypeError, 'file'],
    [{ file: 'x', maxSlots: 999 }, RangeError, 'maxSlots'],
    [{ file: 'x', maxSlot: 1_000 }, TypeError, 'did you mean `maxSlots`'],
  ])('refuses %j', (options, type, part) => {
    const create = (): unknown => createSqliteScheduleStore(options as unknown as SqliteScheduleStoreOptions);
    expect(create).toThrow(type);
    expect(create).toThrow(part);
  });
});
