import type { Run } from '@pawl/tasks';
import type { SqlRow, SqlValue } from './sqlite-driver.ts';

/** How a field of a run is kept in a column. */
interface Column {
  readonly name: string;
  readonly field: keyof Run;
  /** Whether it holds any value, as JSON text. */
  readonly isJson?: boolean;
  /** Whether it changes after the run was stored. */
  readonly isMutable?: boolean;
}

const COLUMNS: readonly Column[] = [
  { name: 'id', field: 'id' },
  { name: 'task', field: 'task' },
  { name: 'input', field: 'input', isJson: true },
  { name: 'priority', field: 'priority' },
  { name: 'concurrency_key', field: 'key' },
  { name: 'idempotency_key', field: 'idempotencyKey' },
  { name: 'schedule', field: 'schedule' },
  { name: 'fingerprint', field: 'fingerprint' },
  { name: 'created_at', field: 'createdAt' },
  { name: 'deadline_at', field: 'deadlineAt' },
  { name: 'timeout_ms', field: 'timeoutMs' },
  { name: 'max_attempts', field: 'maxAttempts' },
  { name: 'max_losses', field: 'maxLosses' },
  { name: 'available_at', field: 'availableAt', isMutable: true },
  { name: 'state', field: 'state', isMutable: true },
  { name: 'fence', field: 'fence', isMutable: true },
  { name: 'failures', field: 'failures', isMutable: true },
  { name: 'losses', field: 'losses', isMutable: true },
  { name: 'started_at', field: 'startedAt', isMutable: true },
  { name: 'ended_at', field: 'endedAt', isMutable: true },
  { name: 'heartbeat_at', field: 'heartbeatAt', isMutable: true },
  { name: 'cancel_requested_at', field: 'cancelRequestedAt', isMutable: true },
  { name: 'cancel_reason', field: 'cancelReason', isMutable: true },
  { name: 'progress', field: 'progress', isJson: true, isMutable: true },
  { name: 'result', field: 'result', isJson: true, isMutable: true },
  { name: 'error', field: 'error', isJson: true, isMutable: true },
  { name: 'attempts', field: 'attempts', isJson: true, isMutable: true },
];

const MUTABLE = COLUMNS.filter(({ isMutable }) => isMutable === true);

// `stage` and `host_id` are no fields of a run: the one says where it stands in the queue, the other repeats whose
// its attempt is, to find the runs of other hosts.
const ALL_NAMES = [...COLUMNS.map(({ name }) => name), 'stage', 'host_id'];

export const INSERT_RUN: string = `INSERT INTO runs (${ALL_NAMES.join(', ')}) VALUES (${ALL_NAMES.map(() => '?').join(', ')})`;
export const UPDATE_RUN: string = `UPDATE runs SET ${[...MUTABLE.map(({ name }) => name), 'stage', 'host_id']
  .map((name) => `${name} = ?`)
  .join(', ')} WHERE seq = ?`;

/** The values of {@link INSERT_RUN}. */
export function insertValues(run: Run, stage: number | null): readonly SqlValue[] {
  return [...COLUMNS.map((column) => toValue(run, column)), stage, hostOf(run)];
}

/** The values of {@link UPDATE_RUN}. */
export function updateValues(run: Run, stage: number | null, sequence: number): readonly SqlValue[] {
  return [...MUTABLE.map((column) => toValue(run, column)), stage, hostOf(run), sequence];
}

export function toRun(row: SqlRow): Run {
  const fields = COLUMNS.map(({ name, field, isJson }) => {
    const value = row[name] ?? undefined;
    return [field, isJson === true && typeof value === 'string' ? (JSON.parse(value) as unknown) : value];
  });
  return Object.fromEntries(fields) as Run;
}

function toValue(run: Run, { field, isJson }: Column): SqlValue {
  const value = run[field];
  if (value === undefined) return null;
  return isJson === true ? JSON.stringify(value) : (value as SqlValue);
}

function hostOf(run: Run): string | null {
  return run.state === 'running' ? (run.attempts.at(-1)?.host.id ?? null) : null;
}
