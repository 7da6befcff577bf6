import { describe, expect, it } from 'vitest';
import { scheduleStoreContract } from '../testing/schedule-store-contract.ts';
import { createMemoryScheduleStore } from './memory-schedule-store.ts';

describe('createMemoryScheduleStore', () => {
  for (const check of scheduleStoreContract(() => createMemoryScheduleStore())) it(check.title, check.run);

  it('forgets the earliest claim beyond its limit', async () => {
    const store = createMemoryScheduleStore({ maxSlots: 1_000 });
    const state = {
      createdAt: 0,
      handledUntil: 0,
      lastSlotAt: null,
      lastEndedAt: null,
      runs: 0,
      failuresInARow: 0,
      pause: null,
      skipFrom: null,
    };
    await store.save({ schedule: { id: 'a', everyMs: 1 }, state });
    for (let slot = 0; slot <= 1_000; slot += 1) await store.claimSlot('a', slot);
    expect(await store.claimSlot('a', 1)).toBe(false);
    expect(await store.claimSlot('a', 0)).toBe(true);
  });
});
