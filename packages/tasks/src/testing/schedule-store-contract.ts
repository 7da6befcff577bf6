import { strict as assert } from 'node:assert';
import type { ScheduleRecord, ScheduleState, ScheduleStore } from '../schedule/schedule-store.ts';

/** One rule of a schedule store, for any test runner: `it(check.title, check.run)`. */
export interface ScheduleStoreCheck {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/**
 * The rules every {@link ScheduleStore} keeps, as checks to run against yours.
 * @param create makes a fresh, empty store
 */
export function scheduleStoreContract(
  create: () => ScheduleStore | Promise<ScheduleStore>,
): readonly ScheduleStoreCheck[] {
  const check = (title: string, body: (store: ScheduleStore) => Promise<void>): ScheduleStoreCheck => ({
    title,
    run: async () => body(await create()),
  });

  return [
    check('holds nothing at first', async (store) => {
      assert.deepEqual(await store.list(), []);
      assert.equal(await store.load('a'), undefined);
      assert.equal(await store.remove('a'), false);
    }),
    check('gives back what it was given', async (store) => {
      const record = recordOf('a', { pause: { reason: 'holidays', at: 7, cause: 'asked' }, skipFrom: 9 });
      await store.save(record);
      assert.deepEqual(await store.load('a'), record);
      assert.deepEqual(await store.list(), [record]);
    }),
    check('takes any string as an id, and lists by id', async (store) => {
      const ids = ['', '__proto__', "a'; drop table", 'b\0c', 'ключ', 'x'.repeat(500)];
      for (const id of ids) await store.save(recordOf(id));
      const listed = await store.list();
      assert.deepEqual(
        listed.map(({ schedule }) => schedule.id),
        ids.toSorted(),
      );
      for (const id of ids) assert.equal((await store.load(id))?.schedule.id, id);
    }),
    check('replaces a schedule that is saved again', async (store) => {
      await store.save(recordOf('a'));
      const changed: ScheduleRecord = {
        schedule: { id: 'a', everyMs: 5, payload: { nested: [1, null, 'text'] } },
        state: { ...STATE, runs: 3 },
      };
      await store.save(changed);
      assert.deepEqual(await store.list(), [changed]);
    }),
    check('changes the given parts of the state alone', async (store) => {
      await store.save(recordOf('a', { runs: 2 }));
      await store.update('a', { handledUntil: 50, lastSlotAt: 50 });
      await store.update('a', {});
      assert.deepEqual(await store.load('a'), recordOf('a', { runs: 2, handledUntil: 50, lastSlotAt: 50 }));
      await store.update('a', { lastSlotAt: null });
      assert.equal((await store.load('a'))?.state.lastSlotAt, null);
    }),
    check('does nothing when there is no schedule to update', async (store) => {
      await store.update('a', { runs: 1 });
      assert.deepEqual(await store.list(), []);
    }),
    check('is not changed by who holds a record', async (store) => {
      const payload = { list: [1] };
      await store.save({ schedule: { id: 'a', everyMs: 1, payload }, state: STATE });
      payload.list.push(2);
      const loaded = (await store.load('a'))?.schedule.payload as typeof payload;
      loaded.list.push(3);
      assert.deepEqual((await store.load('a'))?.schedule.payload, { list: [1] });
    }),
    check('lets a slot be claimed once', async (store) => {
      await store.save(recordOf('a'));
      assert.equal(await store.claimSlot('a', 1_000), true);
      assert.equal(await store.claimSlot('a', 1_000), false);
      assert.equal(await store.claimSlot('a', 1_001), true);
      assert.equal(await store.claimSlot('a', 999), true);
    }),
    check('gives a slot to one of many that claim it at once', async (store) => {
      await store.save(recordOf('a'));
      const claims = await Promise.all(Array.from({ length: 20 }, () => store.claimSlot('a', 5)));
      assert.equal(claims.filter(Boolean).length, 1);
    }),
    check('keeps the slots of different schedules apart', async (store) => {
      await store.save(recordOf('a'));
      await store.save(recordOf('b'));
      assert.equal(await store.claimSlot('a', 5), true);
      assert.equal(await store.claimSlot('b', 5), true);
    }),
    check('gives no slot of a schedule that does not exist', async (store) => {
      assert.equal(await store.claimSlot('a', 5), false);
      await store.save(recordOf('a'));
      assert.equal(await store.claimSlot('a', 5), true);
    }),
    check('keeps the claims when a schedule is saved again', async (store) => {
      await store.save(recordOf('a'));
      await store.claimSlot('a', 5);
      await store.save(recordOf('a', { runs: 1 }));
      await store.update('a', { runs: 2 });
      assert.equal(await store.claimSlot('a', 5), false);
    }),
    check('remembers the latest 1000 slots', async (store) => {
      await store.save(recordOf('a'));
      for (let slot = 0; slot < 1_200; slot += 1) await store.claimSlot('a', slot);
      for (let slot = 200; slot < 1_200; slot += 1) assert.equal(await store.claimSlot('a', slot), false);
    }),
    check('forgets a removed schedule and its slots', async (store) => {
      await store.save(recordOf('a'));
      await store.claimSlot('a', 5);
      assert.equal(await store.remove('a'), true);
      assert.equal(await store.load('a'), undefined);
      await store.save(recordOf('a'));
      assert.equal(await store.claimSlot('a', 5), true);
    }),
  ];
}

const STATE: ScheduleState = {
  createdAt: 1,
  handledUntil: 0,
  lastSlotAt: null,
  lastEndedAt: null,
  runs: 0,
  failuresInARow: 0,
  pause: null,
  skipFrom: null,
};

function recordOf(id: string, changes: Partial<ScheduleState> = {}): ScheduleRecord {
  return { schedule: { id, cron: '*/5 * * * *', timeZone: 'UTC' }, state: { ...STATE, ...changes } };
}
