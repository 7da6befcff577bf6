import { checkInteger, checkKnownKeys } from '@pawl/core';
import type { ScheduleRecord, ScheduleStore } from './schedule-store.ts';

export interface MemoryScheduleStoreOptions {
  /** Claimed slots remembered per schedule; beyond that the earliest claim is forgotten. @default 10000 */
  readonly maxSlots?: number;
}

interface Entry {
  record: ScheduleRecord;
  /** In order of their claims. */
  readonly slots: Set<number>;
}

/** Keeps schedules as long as the process lives. */
export function createMemoryScheduleStore(options: MemoryScheduleStoreOptions = {}): ScheduleStore {
  checkKnownKeys('createMemoryScheduleStore', options, ['maxSlots']);
  const maxSlots = checkInteger('maxSlots', options.maxSlots ?? 10_000, { min: 1_000 });
  const entries = new Map<string, Entry>();
  return {
    async save(record) {
      const { id } = record.schedule;
      entries.set(id, { record: copy(record), slots: entries.get(id)?.slots ?? new Set() });
    },
    async load(id) {
      const entry = entries.get(id);
      return entry && copy(entry.record);
    },
    async list() {
      const ids = [...entries.keys()].toSorted();
      return ids.flatMap((id) => entries.get(id) ?? []).map(({ record }) => copy(record));
    },
    async update(id, changes) {
      const entry = entries.get(id);
      if (entry === undefined) return;
      const { schedule, state } = entry.record;
      entry.record = { schedule, state: copy({ ...state, ...changes }) };
    },
    async remove(id) {
      return entries.delete(id);
    },
    async claimSlot(id, nominalAt) {
      const slots = entries.get(id)?.slots;
      if (slots === undefined || slots.has(nominalAt)) return false;
      slots.add(nominalAt);
      const [earliest] = slots;
      if (slots.size > maxSlots && earliest !== undefined) slots.delete(earliest);
      return true;
    },
  };
}

/** So that nobody changes what is stored; a durable store does the same by writing it down. */
function copy<T>(value: T): T {
  return structuredClone(value);
}
