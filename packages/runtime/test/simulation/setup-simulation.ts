import {
  createEventMonitor,
  createManualClock,
  type EventMonitor,
  type ManualClock,
} from '@pawl/core/testing';
import type { WorkerFeature } from '@pawl/ipc';
import { onTestFinished } from 'vitest';
import type { PoolEvents, PoolOptions, ProcessPool } from '../../src/index.ts';
import { createPoolOf } from '../../src/process/pool-assembly.ts';
import { resolvePoolOptions } from '../../src/process/pool-options.ts';
import { GOOD_PLAN, simulatedWorkers, type World, type WorkerPlan } from './simulated-worker.ts';

export interface SimulationSetup {
  readonly pool: ProcessPool;
  readonly clock: ManualClock;
  readonly events: EventMonitor<PoolEvents>;
  readonly world: World;
  /** The runs that were executed, in order: `run-id@worker-id`. */
  readonly executed: string[];
  /** Lets the manual clock pass until the promise settles. */
  readonly settled: <T>(promise: Promise<T>) => Promise<T>;
}

export interface SimulationOptions extends Partial<PoolOptions> {
  readonly features?: readonly WorkerFeature[];
  readonly plan?: () => WorkerPlan;
}

const ALL_FEATURES: readonly WorkerFeature[] = ['cancel', 'progress', 'stream', 'queue', 'control'];

/** A pool of simulated workers on a manual clock; nothing of it is a process. */
export function setup({
  features = ALL_FEATURES,
  plan,
  ...options
}: SimulationOptions = {}): SimulationSetup {
  const clock = createManualClock();
  const executed: string[] = [];
  const world: World = {
    clock,
    features,
    plan: plan ?? (() => GOOD_PLAN),
    onExecute: (runId, _attempt, workerId) => executed.push(`${runId}@${workerId}`),
    alive: new Map(),
  };
  const pool = createPoolOf(
    resolvePoolOptions({
      worker: { command: 'simulated' },
      minWorkers: 1,
      maxWorkers: 1,
      cancelGraceMs: 100,
      killGraceMs: 100,
      clock,
      random: () => 0.5,
      ...options,
    }),
    { createWorker: simulatedWorkers(world), stop: () => Promise.resolve() },
  );
  // Not onAny: a listener of `worker:output` would switch prefetch off.
  const events = createEventMonitor<PoolEvents>({
    on: (name, listener) => pool.on(name, listener),
    onAny(listener) {
      const stops = NAMES.map((name) => pool.on(name, (payload) => listener(name, payload as never)));
      return () => {
        for (const stop of stops) stop();
      };
    },
  });
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    let isDone = false;
    const noteDone = (): void => void (isDone = true);
    void promise.then(noteDone, noteDone);
    for (let steps = 0; steps < 10_000; steps += 1) {
      await clock.settle();
      if (isDone) break;
      await clock.advanceToNext();
    }
    return promise;
  };
  onTestFinished(async () => {
    events[Symbol.dispose]();
    await settled(pool.stop({ graceMs: 0 }));
  });
  return { pool, clock, events, world, executed, settled };
}

const NAMES: readonly (keyof PoolEvents)[] = [
  'worker:ready',
  'worker:start-failed',
  'worker:crashed',
  'worker:stopped',
  'worker:health',
  'run:started',
  'run:succeeded',
  'run:failed',
  'pool:crash-loop',
  'queue:drained',
  'queue:drain',
];
