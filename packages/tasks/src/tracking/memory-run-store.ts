import { checkKnownKeys } from '@pawl/core';
import { comparePositions, resolveRunQuery, type ResolvedRunQuery, toCursor } from './run-query.ts';
import type { RunPosition } from './run-query.ts';
import type { HostIdentity, NewRun, Run } from './run.ts';
import { isFinal, RUN_STATES, type RunState } from './run-state.ts';
import type { BeatReport, CancelledRun, Claims, OpenStoreOptions, RunCounts, RunStore } from './run-store.ts';
import { beatRun, cancelRun, claimRun, expireRun, noteProcess, queueRun } from './run-transitions.ts';
import { settleRun } from './run-transitions.ts';
import { RunStoreError, StoreLockedError } from './store-errors.ts';
import { toRunFailure } from './run-failure.ts';
import { IdempotencyConflictError, RunDeadlineError, RunExistsError } from './tracking-errors.ts';
import { RunNotEndedError, RunNotFoundError, RunQueueFullError } from './tracking-errors.ts';

interface Entry extends RunPosition {
  run: Run;
}

/**
 * Keeps runs in memory: for tests, and for work that need not outlive its host. Closed and opened again it still has
 * its runs. A claim looks at every queued run: some thousands are fine.
 */
export function createMemoryRunStore(options: Readonly<Record<string, never>> = {}): RunStore {
  checkKnownKeys('createMemoryRunStore', options, []);
  const memory = new RunMemory();
  // Async functions, so that whatever goes wrong is a rejection.
  return {
    open: async (how) => memory.open(how),
    close: async () => memory.close(),
    add: async (run) => memory.add(run),
    get: async (id) => copyOf(memory.find(id)?.run),
    list: async (query) => memory.list(resolveRunQuery(query)),
    counts: async () => memory.counts(),
    claim: async ({ now, limit }) => memory.claim(now, limit),
    cancel: async (id, now, reason) => memory.cancel(id, now, reason),
    settle: async (id, fence, now, ending) =>
      memory.change(id, (run) => copyOf(settleRun(run, fence, now, ending))),
    heartbeat: async (now, beats) => memory.heartbeat(now, beats),
    noteProcess: async (id, fence, process) =>
      void memory.change(id, (run) => noteProcess(run, fence, process)),
    orphaned: async (limit) => memory.orphaned(limit),
    delete: async (id) => memory.delete(id),
    remove: async (endedBefore, limit) => memory.remove(endedBefore, limit),
  };
}

class RunMemory {
  readonly #entries = new Map<string, Entry>();
  readonly #idempotencyKeys = new Map<string, Entry>();
  readonly #bySchedule = new Map<string, Set<Entry>>();
  /** Queued runs in the order of claims. */
  readonly #queue: Entry[] = [];
  /** Key → how many of it are running. */
  readonly #running = new Map<string, number>();
  readonly #counts = new Map<RunState, number>(RUN_STATES.map((state) => [state, 0]));
  #removed = 0;
  #lastSequence = 0;
  #host: HostIdentity | undefined;
  #maxPerKey = 1;
  #maxQueued = Infinity;

  open({ host, maxPerKey, maxQueued = Infinity }: OpenStoreOptions): void {
    if (this.#host !== undefined) throw new StoreLockedError('The memory store', this.#host);
    this.#host = host;
    this.#maxPerKey = maxPerKey;
    this.#maxQueued = maxQueued;
  }

  close(): void {
    this.#host = undefined;
  }

  add(draft: NewRun): { readonly run: Run; readonly created: boolean } {
    this.#checkOpen();
    const { id, idempotencyKey, schedule, fingerprint } = draft;
    const earlier = idempotencyKey === undefined ? undefined : this.#idempotencyKeys.get(idempotencyKey);
    if (idempotencyKey !== undefined && earlier !== undefined) {
      if (earlier.run.fingerprint === fingerprint) return { run: copyOf(earlier.run), created: false };
      throw new IdempotencyConflictError(idempotencyKey, earlier.run.id);
    }
    if (this.#entries.has(id)) throw new RunExistsError(id);
    if (this.#queue.length >= this.#maxQueued) throw new RunQueueFullError(this.#maxQueued);
    const run = queueRun(copyOf(draft));
    this.#lastSequence += 1;
    const entry = { run, createdAt: run.createdAt, sequence: this.#lastSequence };
    this.#entries.set(id, entry);
    if (idempotencyKey !== undefined) this.#idempotencyKeys.set(idempotencyKey, entry);
    if (schedule !== undefined) this.#bySchedule.set(schedule, this.#ofSchedule(schedule).add(entry));
    this.#count('queued', 1);
    this.#enqueue(entry);
    return { run: copyOf(run), created: true };
  }

  find(id: string): Entry | undefined {
    this.#checkOpen();
    return this.#entries.get(id);
  }

  list(query: ResolvedRunQuery): { readonly runs: readonly Run[]; readonly nextCursor: string | undefined } {
    this.#checkOpen();
    const { schedule } = query;
    const found = [...(schedule === undefined ? this.#entries.values() : this.#ofSchedule(schedule))]
      .filter((entry) => matches(entry, query))
      .filter((entry) => query.after === undefined || comparePositions(query.after, entry) < 0)
      .toSorted(comparePositions)
      .slice(0, query.limit + 1);
    const page = found.slice(0, query.limit);
    const last = page.at(-1);
    return {
      runs: page.map(({ run }) => copyOf(run)),
      nextCursor: found.length > page.length && last !== undefined ? toCursor(last) : undefined,
    };
  }

  counts(): RunCounts {
    this.#checkOpen();
    const states = Object.fromEntries(this.#counts) as Record<RunState, number>;
    return { ...states, submitted: this.#entries.size + this.#removed, removed: this.#removed };
  }

  claim(now: number, limit: number): Claims {
    const host = this.#checkOpen();
    const expired = this.#queue.filter(({ run }) => (run.deadlineAt ?? Infinity) <= now);
    for (const entry of expired) {
      const failure = toRunFailure(new RunDeadlineError(entry.run.id, 'queued'));
      this.#put(entry, expireRun(entry.run, now, failure));
    }
    const claimed: Entry[] = [];
    let nextAt = Infinity;
    for (const entry of this.#queue.slice()) {
      const { availableAt, deadlineAt = Infinity, key } = entry.run;
      if (availableAt <= now && claimed.length < limit && this.#hasRoom(key)) {
        this.#put(entry, claimRun(entry.run, host, now));
        claimed.push(entry);
      } else nextAt = Math.min(nextAt, availableAt > now ? availableAt : Infinity, deadlineAt);
    }
    return {
      claimed: claimed.map(({ run }) => copyOf(run)),
      expired: expired.map(({ run }) => copyOf(run)),
      nextAt: nextAt === Infinity ? undefined : nextAt,
    };
  }

  cancel(id: string, now: number, reason: string | undefined): CancelledRun {
    let changed = false;
    const run = this.change(id, (before) => {
      const after = cancelRun(before, now, reason);
      changed = after !== before;
      return after;
    });
    return { run, changed };
  }

  change(id: string, apply: (run: Run) => Run): Run {
    this.#checkOpen();
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new RunNotFoundError(id);
    this.#put(entry, apply(entry.run));
    return copyOf(entry.run);
  }

  heartbeat(now: number, beats: Parameters<RunStore['heartbeat']>[1]): BeatReport {
    this.#checkOpen();
    const stale: string[] = [];
    const cancelRequested: string[] = [];
    for (const beat of beats) {
      const entry = this.#entries.get(beat.id);
      if (entry === undefined || entry.run.state !== 'running' || entry.run.fence !== beat.fence) {
        stale.push(beat.id);
        continue;
      }
      entry.run = beatRun(entry.run, now, copyOf(beat));
      if (entry.run.cancelRequestedAt !== undefined) cancelRequested.push(beat.id);
    }
    return { stale, cancelRequested };
  }

  orphaned(limit: number): readonly Run[] {
    const host = this.#checkOpen();
    return [...this.#entries.values()]
      .filter(({ run }) => run.state === 'running' && run.attempts.at(-1)?.host.id !== host.id)
      .slice(0, limit)
      .map(({ run }) => copyOf(run));
  }

  remove(endedBefore: number, limit: number): readonly string[] {
    this.#checkOpen();
    const old = [...this.#entries.values()]
      .filter(({ run }) => isFinal(run.state) && (run.endedAt ?? Infinity) < endedBefore)
      .toSorted((a, b) => (a.run.endedAt ?? 0) - (b.run.endedAt ?? 0) || a.sequence - b.sequence)
      .slice(0, limit);
    for (const entry of old) this.#forget(entry);
    return old.map(({ run }) => run.id);
  }

  delete(id: string): void {
    const entry = this.find(id);
    if (entry === undefined) throw new RunNotFoundError(id);
    const { state } = entry.run;
    if (!isFinal(state)) throw new RunNotEndedError(id, state);
    this.#forget(entry);
  }

  #ofSchedule(schedule: string): Set<Entry> {
    return this.#bySchedule.get(schedule) ?? new Set();
  }

  #forget(entry: Entry): void {
    const { id, idempotencyKey, schedule, state } = entry.run;
    this.#entries.delete(id);
    if (idempotencyKey !== undefined) this.#idempotencyKeys.delete(idempotencyKey);
    if (schedule !== undefined) {
      const others = this.#ofSchedule(schedule);
      others.delete(entry);
      if (others.size === 0) this.#bySchedule.delete(schedule);
    }
    this.#count(state, -1);
    this.#removed += 1;
  }

  /** Stores a changed run and keeps everything that is derived from it right. */
  #put(entry: Entry, run: Run): void {
    const before = entry.run;
    if (before.state === 'queued') this.#queue.splice(this.#queue.indexOf(entry), 1);
    if (before.state === 'running') this.#countRunning(before.key, -1);
    this.#count(before.state, -1);
    entry.run = run;
    this.#count(run.state, 1);
    if (run.state === 'running') this.#countRunning(run.key, 1);
    if (run.state === 'queued') this.#enqueue(entry);
  }

  #enqueue(entry: Entry): void {
    // From the end, where most belong.
    const before = this.#queue.findLastIndex(
      (other) =>
        other.run.priority > entry.run.priority ||
        (other.run.priority === entry.run.priority && other.sequence < entry.sequence),
    );
    this.#queue.splice(before + 1, 0, entry);
  }

  #hasRoom(key: string | undefined): boolean {
    return key === undefined || (this.#running.get(key) ?? 0) < this.#maxPerKey;
  }

  #countRunning(key: string | undefined, change: number): void {
    if (key === undefined) return;
    const count = (this.#running.get(key) ?? 0) + change;
    if (count > 0) this.#running.set(key, count);
    else this.#running.delete(key);
  }

  #count(state: RunState, change: number): void {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + change);
  }

  #checkOpen(): HostIdentity {
    if (this.#host !== undefined) return this.#host;
    throw new RunStoreError('STORE_CLOSED', 'The memory store is not open.');
  }
}

function matches({ run }: Entry, query: ResolvedRunQuery): boolean {
  const { states, task, key, createdFrom, createdBefore } = query;
  return (
    states.includes(run.state) &&
    (task === undefined || run.task === task) &&
    (key === undefined || run.key === key) &&
    run.createdAt >= createdFrom &&
    run.createdAt < createdBefore
  );
}

/** Nobody outside may change what is stored, nor see it change. */
function copyOf<T>(value: T): T {
  return structuredClone(value);
}
