import process from 'node:process';
import { setImmediate } from 'node:timers';
import { type CallFollower, type InboundContext, noAnswer } from '@pawl/ipc';
import { Line, type LineItem } from './line.ts';
import type { RunRegister } from './run-register.ts';
import { workerClock } from './worker-clock.ts';

/** A task's runs count as tiny while they keep the thread for less than this on average, in milliseconds. */
const TINY_MS = 0.05;
/** The weight of the latest run in that average. */
const WEIGHT = 0.25;
/** How long runs may follow one another before what has arrived meanwhile is looked at, in milliseconds. */
const TURN_MS = 5;

/** A run that was asked for. */
export interface GatedRun extends CallFollower {
  readonly inbound: InboundContext;
  /** Runs of the same task are expected to take as long as each other. */
  readonly task: string;
  /** To be told of the answer. Set by the gate when it begins. */
  onAnswered: ((run: GatedRun, failed: boolean) => void) | undefined;
  /** Begins it, at this time. What it returns, or what that resolves to, is the answer. */
  begin(now: number): unknown;
  /** It was answered, after it had begun or before. */
  ended(): void;
}

export interface RunGateOptions {
  readonly register: RunRegister;
  /** Sends the answers that wait. */
  readonly flush: () => void;
  /** Called whenever nothing runs or waits any more. */
  readonly onIdle: () => void;
}

/** Lets runs begin in the order they came, so many at a time. */
export interface RunGate {
  /** When the turn of the event loop began in which this is asked: what is read in it arrived by then. */
  turnStart(): number;
  /** How many runs may be under way at once. */
  limit: number;
  /** @returns what the run returns, or a promise of it; `noAnswer` for one that was withdrawn */
  enter(run: GatedRun): unknown;
  /** Runs under way and runs that wait. */
  readonly size: number;
}

interface WaitingRun extends LineItem<WaitingRun>, CallFollower {
  readonly run: GatedRun;
  readonly settle: (outcome: unknown) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Runs begin one after the other in one turn of the event loop as long as they are short, so that many answers go out
 * in one write. What holds the thread for longer begins only when the answers before it are out.
 */
export function createRunGate({ register, flush, onIdle }: RunGateOptions): RunGate {
  const waiting = new Line<WaitingRun>();
  /** How long the runs of a task keep the thread, in milliseconds. */
  const usual = new Map<string, number>();
  let limit = 1;
  let active = 0;
  let turnBegan: number | undefined;
  /** The time as this thread last saw it: in a turn that has begun, when its last run returned. */
  let now = 0;
  let resuming = false;

  const endTurn = (): void => {
    turnBegan = undefined;
  };

  /** When this turn of the event loop began. */
  function turnStart(): number {
    if (turnBegan === undefined) {
      now = workerClock.now();
      turnBegan = now;
      // Runs once the callback that this is part of has ended, its promises included.
      process.nextTick(endTurn);
    }
    return turnBegan;
  }

  /** Whether this turn of the event loop has lasted long enough. */
  function isLate(): boolean {
    const began = turnStart();
    register.turn(now);
    return now - began > TURN_MS;
  }

  function perform(run: GatedRun): unknown {
    const { inbound, task } = run;
    if (!register.begin(inbound.id)) {
      run.ended();
      queueMicrotask(count);
      return noAnswer;
    }
    const usualMs = usual.get(task);
    if (usualMs === undefined || usualMs > TINY_MS) {
      flush();
      now = workerClock.now();
    }
    active += 1;
    register.runsActive = active + waiting.size;
    run.onAnswered = leave;
    inbound.follow(run);
    // It has just been asked whether it is late.
    const startedAt = now;
    try {
      return run.begin(startedAt);
    } finally {
      now = workerClock.now();
      const tookMs = now - startedAt;
      usual.set(task, usualMs === undefined ? tookMs : usualMs + WEIGHT * (tookMs - usualMs));
    }
  }

  function leave(run: GatedRun, failed: boolean): void {
    run.ended();
    active -= 1;
    register.runsDone += 1;
    if (failed) register.runsFailed += 1;
    proceed();
    count();
  }

  function count(): void {
    register.runsActive = active + waiting.size;
    if (register.runsActive === 0) onIdle();
  }

  function proceed(): void {
    for (let next = waiting.first; next !== undefined; next = waiting.first) {
      if (active >= limit || resuming) return;
      // The run before may have kept the thread after it returned its promise: then its answer goes out first.
      const seenAt = now;
      now = workerClock.now();
      if (now - seenAt > TINY_MS) flush();
      if (isLate()) {
        resuming = true;
        setImmediate(resume);
        return;
      }
      waiting.remove(next);
      try {
        next.settle(perform(next.run));
      } catch (error) {
        next.fail(error);
      }
    }
  }

  function resume(): void {
    resuming = false;
    proceed();
    count();
  }

  function wait(run: GatedRun): Promise<unknown> {
    return new Promise((settle, fail) => {
      const entry: WaitingRun = {
        run,
        settle,
        fail,
        cancelled(reason) {
          if (!waiting.remove(entry)) return;
          // Either the host has withdrawn it or it is answered here.
          if (register.begin(run.inbound.id)) fail(reason);
          else settle(noAnswer);
          run.ended();
          count();
        },
        isInLine: false,
        previous: undefined,
        next: undefined,
      };
      waiting.add(entry);
      run.inbound.follow(entry);
      count();
    });
  }

  return {
    turnStart,
    get limit() {
      return limit;
    },
    set limit(runs) {
      limit = runs;
      proceed();
      count();
    },
    enter(run) {
      const free = active < limit && waiting.size === 0;
      if (!free || isLate()) {
        const outcome = wait(run);
        proceed();
        return outcome;
      }
      return perform(run);
    },
    get size() {
      return active + waiting.size;
    },
  };
}
