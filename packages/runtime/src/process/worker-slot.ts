import type { Timer } from '@pawl/core';
import type { WorkerStopReason } from '../events.ts';
import type { Deadline } from '../scheduling/deadlines.ts';
import type { Place } from '../scheduling/dispatcher.ts';
import type { RunQueue } from '../scheduling/run-queue.ts';
import type { PoolRun } from './pool-run.ts';
import type { HealthClass } from './health.ts';
import type { WorkerEndCause } from './worker-errors.ts';
import type { WorkerHealth } from './worker-health.ts';
import type { WorkerProcess } from './worker-process.ts';
import { canMove, type WorkerState } from './worker-state.ts';

/** A worker's place in the pool, with the runs it has. */
export class Slot implements Place, Deadline {
  readonly worker: WorkerProcess;
  readonly health: WorkerHealth;
  /** The restart policy's when it was started. */
  readonly generation: number;
  readonly startedAt: number;
  state: WorkerState = 'starting';
  /** What it executes, in the order it began. */
  readonly executing: PoolRun[] = [];
  /** What waits in it, in the order it will begin. */
  readonly ahead: PoolRun[] = [];
  /** What waits for this worker alone; made when it is needed. */
  bound: RunQueue<PoolRun> | undefined = undefined;
  /** How many it may execute at once. */
  runsAtOnce = 1;
  /** Whether it queues what is beyond that, and gives it back when asked. */
  takesAhead = false;
  /** Whether it gives a sign of life also while it executes a run. */
  answersBesideRuns = false;
  /** Runs it may still be sent in its life. */
  runsLeft: number;
  /** What its runs are expected to take together, in milliseconds. */
  plannedMs = 0;
  /** Runs it executes whose callers have been answered. */
  givenUp = 0;
  /** When it last began to be busy or gave an answer, on the pool's clock. */
  busySince = 0;
  /** It was asked for a sign of life, and may still give it in time. */
  awaitsPong = false;
  /** Grows with each run it is done with. */
  answered = 0;
  /** `answered` when it was last looked at; see `stalled`. */
  answeredBefore = -1;
  /** What it executes takes so long that nothing is sent ahead of it. */
  stalled = false;
  /** It gets no more runs, and ends with its last one for this reason. */
  closing: WorkerStopReason | undefined = undefined;
  /** Another is started when so few are left. */
  replaceAtRunsLeft = 0;
  /** Why another is being started that will take its place. */
  recycleFor: WorkerStopReason | undefined = undefined;
  /** The worker whose place it takes once that has ended; meanwhile it gets no runs and is not counted. */
  replaces: Slot | undefined = undefined;
  replacement: Slot | undefined = undefined;
  /** When it is to be recycled for its age. */
  ageTimer: Timer | undefined = undefined;
  /** Set once it was asked to end. */
  stopReason: WorkerStopReason | undefined = undefined;
  /** Since when it was asked to end, on the pool's clock. */
  stoppingSince = 0;
  /** Resolves when it is ready, or will never be. */
  starting: Promise<void> = Promise.resolve();
  /** Whether it keeps this process running. */
  isRef: boolean = true;
  /** When it has been idle for too long. */
  dueAt: number = Infinity;
  heapIndex = -1;
  level = -1;
  indexInLevel = 0;

  constructor(
    worker: WorkerProcess,
    health: WorkerHealth,
    facts: { generation: number; startedAt: number; runsLeft: number },
  ) {
    this.worker = worker;
    this.health = health;
    this.generation = facts.generation;
    this.startedAt = facts.startedAt;
    this.runsLeft = facts.runsLeft;
  }

  get id(): string {
    return this.worker.id;
  }

  /** Why its pool ends it; undefined while it does not. */
  get stopCause(): WorkerEndCause | undefined {
    const { stopReason: reason } = this;
    if (reason === undefined) return undefined;
    const finding = this.health.report.findings.find(({ fault }) => fault === reason);
    return { reason, text: finding?.reason };
  }

  get rssBytes(): number | undefined {
    return this.health.rssBytes;
  }

  get healthClass(): HealthClass {
    return this.health.report.class;
  }

  get failureRate(): number {
    return this.health.failureRate;
  }

  get load(): number {
    return this.executing.length + this.ahead.length;
  }

  /** The run it executes, if it is one alone: whose else could be what it prints. */
  get onlyRun(): PoolRun | undefined {
    return this.executing.length === 1 ? this.executing[0] : undefined;
  }

  /** Its state as users see it: one that takes no more runs drains, whatever it still has. */
  get shownState(): WorkerState {
    return this.state === 'busy' && this.closing !== undefined ? 'draining' : this.state;
  }

  /** Whether another may already have been started in its stead, while it still has runs. */
  get isOutOfService(): boolean {
    return this.closing === 'cancelled-run' || this.closing === 'drained';
  }

  /** Whether it is one of the workers that a pool may have so many of. */
  get counts(): boolean {
    return (
      this.stopReason === undefined &&
      this.state !== 'stopped' &&
      this.state !== 'failed' &&
      this.replaces === undefined &&
      this.givenUp < this.runsAtOnce &&
      !this.isOutOfService &&
      !this.worker.isLost
    );
  }

  /** Whether it takes runs at all. */
  get isOpen(): boolean {
    return (
      (this.state === 'ready' || this.state === 'busy') &&
      this.closing === undefined &&
      this.replaces === undefined &&
      this.runsLeft > 0 &&
      !this.worker.isLost
    );
  }

  /** Takes a run: to be executed at once, or ahead. @returns whether it is executed at once */
  add(run: PoolRun): boolean {
    run.slot = this;
    this.runsLeft -= 1;
    this.plannedMs += run.expectedMs;
    const now = this.executing.length < this.runsAtOnce;
    (now ? this.executing : this.ahead).push(run);
    return now;
  }

  /**
   * Lets a run go. @returns the one that is executed in its stead, if it was executed and another was sent ahead
   */
  remove(run: PoolRun): PoolRun | undefined {
    run.slot = undefined;
    if (!takeFrom(this.executing, run)) {
      takeFrom(this.ahead, run);
      this.#unplan(run);
      return undefined;
    }
    this.#unplan(run);
    const next = this.ahead.shift();
    if (next !== undefined) this.executing.push(next);
    return next;
  }

  move(to: WorkerState): void {
    if (!canMove(this.state, to)) throw new TypeError(`A worker can't go from ${this.state} to ${to}.`);
    this.state = to;
  }

  #unplan(run: PoolRun): void {
    // Sums of fractions drift.
    this.plannedMs = this.load === 0 ? 0 : this.plannedMs - run.expectedMs;
  }
}

function takeFrom(runs: PoolRun[], run: PoolRun): boolean {
  if (runs[0] === run) {
    runs.shift();
    return true;
  }
  const index = runs.indexOf(run);
  if (index !== -1) runs.splice(index, 1);
  return index !== -1;
}
