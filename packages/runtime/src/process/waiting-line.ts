import type { Clock, Emitter } from '@pawl/core';
import type { PoolEvents } from '../events.ts';
import { createDeadlines } from '../scheduling/deadlines.ts';
import { createRunQueue } from '../scheduling/run-queue.ts';
import { QueueFullError } from './pool-errors.ts';
import type { Overflow } from './pool-options.ts';
import type { PoolRun } from './pool-run.ts';
import type { RunLedger } from './run-ledger.ts';

export interface WaitingLineOptions {
  readonly maxQueue: number;
  readonly overflow: Overflow;
  readonly ageingMs: number;
  readonly clock: Clock;
  readonly emitter: Emitter<PoolEvents>;
  readonly ledger: RunLedger;
  /** A delayed run is due: it is to be placed like one that was submitted now. */
  readonly onDue: (run: PoolRun) => void;
}

/** Where runs wait for a worker: the queue, those that are delayed, and those that wait for a place in the queue. */
export interface WaitingLine {
  /** How many are in the queue: what `take` can give. */
  readonly size: number;
  /** The next one in the queue. */
  readonly first: PoolRun | undefined;
  /** Whether the queue has a place for a run that was just opened. */
  readonly hasSpace: boolean;
  /** Whether producers should pause until `queue:drain`. */
  readonly needsDrain: boolean;
  /** Keeps a run out until it is due. */
  delay(run: PoolRun, delayMs: number): void;
  /** Lets a run wait for its turn, or refuses it, or another in its stead, as the overflow policy says. */
  enter(run: PoolRun): void;
  take(): PoolRun | undefined;
  /** Puts back a run that did not begin: before all that came after it. */
  restore(run: PoolRun): void;
  /** Gives a run its place in the order without letting it wait. */
  takeTurn(run: PoolRun, now: number): void;
  /** Takes a run out, wherever it waits. */
  leave(run: PoolRun): void;
  /** Lets in who waits for a place, and tells when there is room again. @returns whether someone came in */
  admit(): boolean;
  /** Takes all out, in order. */
  clear(): readonly PoolRun[];
}

export function createWaitingLine(options: WaitingLineOptions): WaitingLine {
  const { overflow, ledger, emitter, clock } = options;
  // Who waits for a place needs one to come through.
  const maxQueue = overflow === 'wait' ? Math.max(1, options.maxQueue) : options.maxQueue;
  const queue = createRunQueue<PoolRun>({ maxSize: Infinity, ageingMs: options.ageingMs, clock });
  const parked = new Set<PoolRun>();
  const delayed = new Set<PoolRun>();
  const delays = createDeadlines<PoolRun>({
    clock,
    keepAlive: true,
    onDue(run) {
      delayed.delete(run);
      options.onDue(run);
    },
  });
  let wasFull = false;

  /** Those that count against the bound: in the queue, in the queue of one worker, or sent ahead. */
  const waiting = (): number => ledger.queued - parked.size - delayed.size;

  function add(run: PoolRun): void {
    run.queue = queue;
    if (run.entry !== undefined) queue.restore(run.entry);
    else if (run.turn === 0) run.entry = queue.add(run, run.options.priority, run.key);
    else {
      run.entry = queue.stamp(run, run.options.priority, run.key, run.turn, run.turnAt);
      queue.restore(run.entry);
    }
    if (waiting() >= maxQueue) wasFull = true;
  }

  function takeOldestBelow(run: PoolRun): PoolRun | undefined {
    const oldest = queue.takeOldest();
    if (oldest?.entry === undefined) return undefined;
    // Whoever comes in must not push out one that matters more.
    if (oldest.entry.priority <= (run.options.priority ?? oldest.entry.priority)) return oldest;
    queue.restore(oldest.entry);
    return undefined;
  }

  function admitParked(): boolean {
    let came = false;
    for (const run of parked) {
      if (waiting() >= maxQueue) break;
      parked.delete(run);
      add(run);
      came = true;
    }
    return came;
  }

  const line: WaitingLine = {
    get size() {
      return queue.size;
    },
    get first() {
      return queue.first?.item;
    },
    get hasSpace() {
      return waiting() <= maxQueue;
    },
    get needsDrain() {
      return waiting() >= maxQueue;
    },
    delay(run, delayMs) {
      run.dueAt = clock.now() + delayMs;
      delayed.add(run);
      delays.add(run);
    },
    enter(run) {
      if (line.hasSpace) add(run);
      else if (overflow === 'wait') parked.add(run);
      else {
        wasFull = true;
        const dropped = overflow === 'drop-oldest' ? takeOldestBelow(run) : undefined;
        if (dropped === undefined) ledger.fail(run, 'refused', new QueueFullError(maxQueue));
        else {
          dropped.queue = undefined;
          add(run);
          ledger.fail(dropped, 'refused', new QueueFullError(maxQueue, dropped.runId));
        }
      }
    },
    take() {
      const run = queue.take();
      if (run !== undefined) run.queue = undefined;
      return run;
    },
    restore: add,
    takeTurn(run, now) {
      if (run.turn !== 0 || run.entry !== undefined) return;
      run.turn = queue.takeTurn();
      run.turnAt = now;
    },
    leave(run) {
      if (run.queue !== undefined && run.entry !== undefined) {
        run.queue.remove(run.entry);
        run.queue = undefined;
      } else if (delayed.delete(run)) delays.remove(run);
      else parked.delete(run);
    },
    admit() {
      const came = parked.size > 0 && admitParked();
      if (wasFull && waiting() * 2 <= maxQueue) {
        wasFull = false;
        emitter.emit('queue:drain', { queued: ledger.queued });
      }
      return came;
    },
    clear() {
      const runs = [...queue.clear(), ...parked, ...delayed];
      for (const run of runs) run.queue = undefined;
      parked.clear();
      for (const run of delayed) delays.remove(run);
      delayed.clear();
      return runs;
    },
  };
  return line;
}
