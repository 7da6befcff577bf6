import type { HostIdentity, NewRun, OpenStoreOptions, Run } from '@pawl/tasks';
import {
  type AddedRun,
  type Beat,
  type BeatReport,
  type CancelledRun,
  cancelRun,
  claimRun,
  type ClaimRequest,
  type Claims,
  expireRun,
  IdempotencyConflictError,
  isFinal,
  queueRun,
  RUN_STATES,
  RunDeadlineError,
  RunExistsError,
  RunNotEndedError,
  RunNotFoundError,
  RunQueueFullError,
  type RunCounts,
  type RunState,
  toRunFailure,
} from '@pawl/tasks';
import { INSERT_RUN, insertValues, toRun, UPDATE_RUN, updateValues } from './run-rows.ts';
import { createTurns, type Turns } from './run-turns.ts';
import type { SqlRow } from './sqlite-driver.ts';
import type { Statements } from './statements.ts';

/** Where a run that is not over stands; see the schema. */
const DELAYED = 0;
const READY = 1;
const BEHIND = 2;
const RUNNING = 3;

/** At most so many fall due or expire in one claim, so that it stays short whatever has piled up. */
const MAX_AT_ONCE = 1_000;

/** The table of runs. Every call is part of the transaction that is open, looks first, and writes then. */
export class RunTable {
  readonly #sql: Statements;
  readonly #turns: Turns;
  readonly #host: HostIdentity;
  readonly #maxQueued: number;

  constructor(sql: Statements, { host, maxPerKey, maxQueued = Infinity }: OpenStoreOptions) {
    this.#sql = sql;
    this.#turns = createTurns(this.#sql, maxPerKey);
    this.#host = host;
    this.#maxQueued = maxQueued;
  }

  add(draft: NewRun): AddedRun {
    const { id, idempotencyKey, fingerprint } = draft;
    if (idempotencyKey !== undefined) {
      const row = this.#sql.get('SELECT * FROM runs WHERE idempotency_key = ?', idempotencyKey);
      if (row !== undefined) {
        const run = toRun(row);
        if (run.fingerprint === fingerprint) return { run, created: false };
        throw new IdempotencyConflictError(idempotencyKey, run.id);
      }
    }
    if (this.#sql.get('SELECT 1 FROM runs WHERE id = ?', id) !== undefined) throw new RunExistsError(id);
    if (this.#isQueueFull()) throw new RunQueueFullError(this.#maxQueued);
    const run = queueRun(draft);
    // Whether it is due is for the next claim to say, which has the time; most are due at once.
    const stage = draft.availableAt > draft.createdAt ? DELAYED : stageWhenDue(run);
    this.#sql.run(INSERT_RUN, ...insertValues(run, stage));
    if (stage === BEHIND) this.#turns.give(run.key);
    return { run, created: true };
  }

  get(id: string): Run | undefined {
    const row = this.#sql.get('SELECT * FROM runs WHERE id = ?', id);
    return row === undefined ? undefined : toRun(row);
  }

  counts(): RunCounts {
    const rows = this.#sql.all('SELECT state, runs FROM run_counts');
    const counts = new Map(rows.map(({ state, runs }) => [state, Number(runs)]));
    const of = (name: string): number => counts.get(name) ?? 0;
    const states = Object.fromEntries(RUN_STATES.map((state) => [state, of(state)])) as Record<
      RunState,
      number
    >;
    const submitted = [...counts.values()].reduce((sum, count) => sum + count, 0);
    return { ...states, submitted, removed: of('removed') };
  }

  claim({ now, limit }: ClaimRequest): Claims {
    const expired = this.#expire(now);
    this.#makeDue(now);
    const rows = this.#sql.all(
      'SELECT * FROM runs WHERE stage = 1 ORDER BY priority DESC, seq LIMIT ?',
      limit,
    );
    const claimed = rows.map((row) => this.#put(row, claimRun(toRun(row), this.#host, now)));
    return { claimed, expired, nextAt: this.#nextAt() };
  }

  cancel(id: string, now: number, reason: string | undefined): CancelledRun {
    const row = this.#rowOf(id);
    const before = toRun(row);
    const after = cancelRun(before, now, reason);
    if (after === before) return { run: before, changed: false };
    return { run: this.#put(row, after), changed: true };
  }

  /** Applies a change to a stored run. @throws RunNotFoundError, and what `apply` throws */
  change(id: string, apply: (run: Run) => Run): Run {
    const row = this.#rowOf(id);
    return this.#put(row, apply(toRun(row)));
  }

  heartbeat(now: number, beats: readonly Beat[]): BeatReport {
    const stale: string[] = [];
    const cancelRequested: string[] = [];
    for (const { id, fence, progress } of beats) {
      const row = this.#sql.get(
        `UPDATE runs SET heartbeat_at = ?, progress = coalesce(?, progress)
         WHERE id = ? AND state = 'running' AND fence = ? RETURNING cancel_requested_at`,
        now,
        progress === undefined ? null : JSON.stringify(progress),
        id,
        fence,
      );
      if (row === undefined) stale.push(id);
      else if (row['cancel_requested_at'] !== null) cancelRequested.push(id);
    }
    return { stale, cancelRequested };
  }

  orphaned(limit: number): readonly Run[] {
    return this.#sql
      .all(`SELECT * FROM runs WHERE state = 'running' AND host_id <> ? LIMIT ?`, this.#host.id, limit)
      .map(toRun);
  }

  remove(endedBefore: number, limit: number): readonly string[] {
    const rows = this.#sql.all(
      'SELECT seq, id FROM runs WHERE ended_at IS NOT NULL AND ended_at < ? ORDER BY ended_at, seq LIMIT ?',
      endedBefore,
      limit,
    );
    for (const { seq } of rows) this.#sql.run('DELETE FROM runs WHERE seq = ?', Number(seq));
    return rows.map(({ id }) => String(id));
  }

  delete(id: string): void {
    const row = this.#rowOf(id);
    const { state } = toRun(row);
    if (!isFinal(state)) throw new RunNotEndedError(id, state);
    this.#sql.run('DELETE FROM runs WHERE seq = ?', Number(row['seq']));
  }

  #isQueueFull(): boolean {
    if (this.#maxQueued === Infinity) return false;
    const queued = this.#sql.get(`SELECT runs FROM run_counts WHERE state = 'queued'`)?.['runs'] ?? 0;
    return Number(queued) >= this.#maxQueued;
  }

  #expire(now: number): readonly Run[] {
    const rows = this.#sql.all(
      `SELECT * FROM runs INDEXED BY runs_by_deadline
       WHERE state = 'queued' AND deadline_at IS NOT NULL AND deadline_at <= ? LIMIT ?`,
      now,
      MAX_AT_ONCE,
    );
    return rows.map((row) => {
      const run = toRun(row);
      return this.#put(row, expireRun(run, now, toRunFailure(new RunDeadlineError(run.id, 'queued'))));
    });
  }

  /** Lets in the runs whose time has come. */
  #makeDue(now: number): void {
    const rows = this.#sql.all(
      `SELECT seq, concurrency_key FROM runs WHERE stage = 0 AND available_at <= ?
       ORDER BY available_at LIMIT ?`,
      now,
      MAX_AT_ONCE,
    );
    for (const { seq, concurrency_key: key } of rows) {
      this.#sql.run('UPDATE runs SET stage = ? WHERE seq = ?', key === null ? READY : BEHIND, Number(seq));
    }
    for (const key of new Set(rows.map((row) => row['concurrency_key']))) {
      if (typeof key === 'string') this.#turns.give(key);
    }
  }

  #nextAt(): number | undefined {
    const due = this.#sql.get('SELECT min(available_at) AS at FROM runs WHERE stage = 0')?.['at'];
    const deadline = this.#sql.get(
      `SELECT min(deadline_at) AS at FROM runs INDEXED BY runs_by_deadline
       WHERE state = 'queued' AND deadline_at IS NOT NULL`,
    )?.['at'];
    const moments = [due, deadline].filter((at) => typeof at === 'number');
    return moments.length === 0 ? undefined : Math.min(...moments);
  }

  /** Writes a changed run, and moves the queue of its key. */
  #put(row: SqlRow, run: Run): Run {
    this.#sql.run(UPDATE_RUN, ...updateValues(run, stageOf(row, run), Number(row['seq'])));
    this.#turns.give(run.key);
    return run;
  }

  #rowOf(id: string): SqlRow {
    const row = this.#sql.get('SELECT * FROM runs WHERE id = ?', id);
    if (row === undefined) throw new RunNotFoundError(id);
    return row;
  }
}

function stageOf(before: SqlRow, run: Run): number | null {
  if (run.state === 'running') return RUNNING;
  if (run.state !== 'queued') return null;
  // A run that comes back waits at least for the next claim, which knows the time.
  return before['state'] === 'queued' ? Number(before['stage']) : DELAYED;
}

function stageWhenDue(run: Run): number {
  return run.key === undefined ? READY : BEHIND;
}
