import type { Schedule, ScheduleRecord, ScheduleState } from '@pawl/tasks';
import type { SqlRow } from './sqlite-driver.ts';
import type { Statements } from './statements.ts';

// The tables of schedules. What changes something is part of the transaction that is open.

/** What a schedule is stored as: the values of its id, of itself and of its state. */
type ScheduleRow = readonly [id: string, schedule: string, state: string];

export function toScheduleRow({ schedule, state }: ScheduleRecord): ScheduleRow {
  return [JSON.stringify(schedule.id), JSON.stringify(schedule), JSON.stringify(state)];
}

export function saveSchedule(sql: Statements, row: ScheduleRow): void {
  sql.run(
    `INSERT INTO schedules (id, schedule, state) VALUES (?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET schedule = excluded.schedule, state = excluded.state`,
    ...row,
  );
}

export function loadSchedule(sql: Statements, id: string): ScheduleRecord | undefined {
  const row = rowOf(sql, id);
  return row === undefined ? undefined : toRecord(row);
}

/** All schedules, ordered by id. */
export function listSchedules(sql: Statements): readonly ScheduleRecord[] {
  const records = sql.all('SELECT schedule, state FROM schedules').map(toRecord);
  // SQLite orders by code point and JavaScript by code unit.
  return records.toSorted((a, b) => (a.schedule.id < b.schedule.id ? -1 : 1));
}

export function updateSchedule(sql: Statements, id: string, changes: Partial<ScheduleState>): void {
  const row = rowOf(sql, id);
  if (row === undefined) return;
  const state = { ...toRecord(row).state, ...changes };
  sql.run('UPDATE schedules SET state = ? WHERE seq = ?', JSON.stringify(state), Number(row['seq']));
}

/** Forgets a schedule and its claims. @returns whether there was one */
export function removeSchedule(sql: Statements, id: string): boolean {
  const row = rowOf(sql, id);
  if (row === undefined) return false;
  const sequence = Number(row['seq']);
  sql.run('DELETE FROM slot_claims WHERE schedule_seq = ?', sequence);
  sql.run('DELETE FROM schedules WHERE seq = ?', sequence);
  return true;
}

/**
 * Takes a slot, and forgets the earliest claim beyond `maxSlots`.
 * @returns false when it was taken before, or there is no such schedule
 */
export function claimSlot(sql: Statements, id: string, nominalAt: number, maxSlots: number): boolean {
  const sequence = sql.get('SELECT seq FROM schedules WHERE id = ?', JSON.stringify(id))?.['seq'];
  if (sequence === undefined) return false;
  const schedule = Number(sequence);
  const number = sql.get(
    `INSERT INTO slot_claims SELECT ?, 1 + coalesce(max(number), 0), ? FROM slot_claims WHERE schedule_seq = ?
     ON CONFLICT (schedule_seq, nominal_at) DO NOTHING RETURNING number`,
    schedule,
    nominalAt,
    schedule,
  )?.['number'];
  if (number === undefined) return false;
  sql.run(
    'DELETE FROM slot_claims WHERE schedule_seq = ? AND number <= ?',
    schedule,
    Number(number) - maxSlots,
  );
  return true;
}

function rowOf(sql: Statements, id: string): SqlRow | undefined {
  return sql.get('SELECT * FROM schedules WHERE id = ?', JSON.stringify(id));
}

function toRecord(row: SqlRow): ScheduleRecord {
  return {
    schedule: JSON.parse(String(row['schedule'])) as Schedule,
    state: JSON.parse(String(row['state'])) as ScheduleState,
  };
}
