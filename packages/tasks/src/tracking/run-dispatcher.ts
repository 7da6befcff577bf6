import { type Clock, createDeferred, type Emitter, hasCode, type Random, type Timer } from '@pawl/core';
import { endingOf } from './attempt-ending.ts';
import { type AttemptEnd, type AttemptRunnerOptions, beginAttempt } from './attempt-runner.ts';
import type { LiveAttempt } from './attempt-runner.ts';
import type { Run } from './run.ts';
import { isFinal } from './run-state.ts';
import type { RunStore } from './run-store.ts';
import type { StoreCalls } from './store-calls.ts';
import { type ResolvedTask, resolveTaskOptions } from './task-definition.ts';
import type { AttemptFacts, TrackerEvents } from './tracker-events.ts';
import { RunCancelledError, StaleAttemptError, TrackerStoppedError } from './tracking-errors.ts';

export interface RunDispatcherOptions {
  readonly store: RunStore;
  readonly calls: StoreCalls;
  readonly events: Emitter<TrackerEvents>;
  readonly taskOf: (name: string) => ResolvedTask;
  readonly runner: AttemptRunnerOptions;
  readonly maxConcurrent: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of every run that is over. */
  readonly onEnded: (run: Run) => void;
}

/** The wall clock may be stepped, and a laptop sleeps: no moment is waited for longer than this at once. */
const LONGEST_WAIT_MS = 30_000;

/** Takes due runs from the store, sees each attempt through, and writes down how it ended. */
export class RunDispatcher {
  readonly #options: RunDispatcherOptions;
  readonly #live = new Map<string, LiveAttempt>();
  /** Runs that were cancelled between their claim and the start of their attempt. */
  readonly #cancelled = new Map<string, string | undefined>();
  /** Attempts whose code has not ended, abandoned ones included. */
  #taken = 0;
  #isOpen = true;
  #claiming: Promise<void> | undefined;
  #claimAgain = false;
  #wake: Timer | undefined;
  /** For when the wake-up is planned, by the wall clock. */
  #wakesAt = Infinity;
  #idle = createDeferred();

  constructor(options: RunDispatcherOptions) {
    this.#options = options;
  }

  get live(): readonly LiveAttempt[] {
    return [...this.#live.values()];
  }

  /** Looks for due runs, now and, if it is looking already, once more after that. */
  pump(): void {
    if (!this.#isOpen) return;
    this.#claimAgain = true;
    this.#claiming ??= this.#claimWhileAsked().finally(() => {
      this.#claiming = undefined;
      // Asked for after the last look, and before this was known to be over.
      if (this.#claimAgain) this.pump();
      this.#checkIdle();
    });
  }

  /** Takes a run that was just stored: now if it is due and there is room, else in time. */
  notice({ availableAt, deadlineAt }: Run): void {
    const isDue = availableAt <= this.#options.clock.wallTime();
    if (isDue && this.#taken < this.#options.maxConcurrent) this.pump();
    else this.#wakeBy(Math.min(isDue ? Infinity : availableAt, deadlineAt ?? Infinity));
  }

  /** Takes nothing new. Resolves when all that was begun has ended and is written down. */
  async drain(): Promise<void> {
    this.#isOpen = false;
    this.#wake?.cancel();
    this.#checkIdle();
    await this.#idle.promise;
  }

  abortAll(): void {
    for (const attempt of this.#live.values()) attempt.abort(new TrackerStoppedError());
  }

  /** Ends the attempt of a running run, if it is one of ours. */
  cancel(run: Run): void {
    const attempt = this.#live.get(run.id);
    if (attempt === undefined) this.#cancelled.set(run.id, run.cancelReason);
    else attempt.abort(new RunCancelledError(run.id, run.cancelReason));
  }

  /** Ends an attempt that the store has given up. */
  letGo(runId: string): void {
    const run = this.#live.get(runId)?.run;
    if (run !== undefined) {
      this.#live.get(runId)?.abort(new StaleAttemptError(runId, run.fence, run.fence, run.state));
    }
  }

  async #claimWhileAsked(): Promise<void> {
    const { store, calls, clock, maxConcurrent } = this.#options;
    while (this.#claimAgain && this.#isOpen) {
      this.#claimAgain = false;
      this.#wake?.cancel();
      this.#wakesAt = Infinity;
      const limit = Math.max(0, maxConcurrent - this.#taken);
      const claims = await calls
        .untilDone('claim runs', () => store.claim({ now: clock.wallTime(), limit }))
        // Only while the store is about to be closed.
        .catch(() => undefined);
      if (claims === undefined) return;
      for (const run of claims.expired) this.#tellOver(run);
      for (const run of claims.claimed) void this.#seeThrough(run);
      this.#cancelled.clear();
      this.#wakeBy(claims.nextAt ?? Infinity);
    }
  }

  /** Looks for due runs at this moment, or sooner if that was planned; the plan is kept for 30 s at most. */
  #wakeBy(moment: number): void {
    if (moment >= this.#wakesAt || !this.#isOpen) return;
    const { clock } = this.#options;
    this.#wake?.cancel();
    this.#wakesAt = moment;
    const waitMs = Math.min(moment - clock.wallTime(), LONGEST_WAIT_MS);
    this.#wake = clock.setTimer(waitMs, () => this.pump());
  }

  /** One attempt, from its claim to its end. Never rejects. */
  async #seeThrough(run: Run): Promise<void> {
    const { clock, events, runner } = this.#options;
    const task = this.#taskOf(run);
    const facts = factsOf(run);
    this.#taken += 1;
    events.emit('attempt:started', { ...facts, run });
    const attempt = beginAttempt(run, task, runner);
    this.#live.set(run.id, attempt);
    void attempt.released.then(() => {
      this.#taken -= 1;
      this.pump();
    });
    if (this.#cancelled.has(run.id))
      attempt.abort(new RunCancelledError(run.id, this.#cancelled.get(run.id)));
    if (!this.#isOpen) attempt.abort(new TrackerStoppedError());
    const end = await attempt.ended;
    const durationMs = clock.now() - attempt.startedAt;
    try {
      const after = await this.#settle(attempt, task, end);
      if (after === undefined) events.emit('attempt:stale', facts);
      else this.#tellSettled(after, facts, durationMs);
    } catch {
      // The store is about to be closed and could not take it: the next host finds the run, and calls it lost.
    }
    // The next attempt of the same run may have begun already.
    if (this.#live.get(run.id) === attempt) this.#live.delete(run.id);
    this.pump();
    this.#checkIdle();
  }

  /** @returns undefined when the store had given the attempt up */
  async #settle(attempt: LiveAttempt, task: ResolvedTask, end: AttemptEnd): Promise<Run | undefined> {
    const { store, calls, clock, random } = this.#options;
    const { run } = attempt;
    const now = clock.wallTime();
    const outcome = endingOf(run, task, end, { now, random });
    if (outcome === undefined) return undefined;
    const { id: _id, fence: _fence, ...progress } = attempt.takeBeat();
    const ending = { ...outcome, ...progress };
    try {
      return await calls.untilDone('end an attempt', () => store.settle(run.id, run.fence, now, ending));
    } catch (error) {
      if (hasCode(error, 'STALE_ATTEMPT', 'RUN_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  #tellSettled(run: Run, facts: AttemptFacts, durationMs: number): void {
    const { events, clock } = this.#options;
    const { outcome, error } = run.attempts.at(-1) ?? {};
    if (outcome === 'succeeded') events.emit('attempt:succeeded', { ...facts, durationMs });
    else if (outcome !== undefined) events.emit('attempt:failed', { ...facts, durationMs, outcome, error });
    this.tellNext(run, clock.wallTime());
  }

  /** Tells whether a run whose attempt has ended is over or queued again. */
  tellNext(run: Run, now: number): void {
    if (isFinal(run.state)) this.#tellOver(run);
    else this.#options.events.emit('run:requeued', { run, delayMs: Math.max(0, run.availableAt - now) });
  }

  #tellOver(run: Run): void {
    this.#options.onEnded(run);
    this.#options.events.emit('run:ended', { run });
  }

  /** A run may outlive the code of its task; it fails then, and says so. */
  #taskOf(run: Run): ResolvedTask {
    try {
      return this.#options.taskOf(run.task);
    } catch (error) {
      return resolveTaskOptions(() => {
        throw error;
      }, {});
    }
  }

  #checkIdle(): void {
    if (!this.#isOpen && this.#live.size === 0 && this.#claiming === undefined) this.#idle.resolve();
  }
}

export function factsOf(run: Run): AttemptFacts {
  const attempt = run.attempts.at(-1)?.number ?? 1;
  return { runId: run.id, task: run.task, attempt, fence: run.fence };
}
