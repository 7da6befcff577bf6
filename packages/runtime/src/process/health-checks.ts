import type { Emitter } from '@pawl/core';
import type { PoolEvents } from '../events.ts';
import type { HealthFinding } from './health.ts';
import type { PoolRun } from './pool-run.ts';
import type { WorkerSet } from './worker-set.ts';
import type { Slot } from './worker-slot.ts';

export interface HealthChecksOptions {
  readonly workers: WorkerSet;
  readonly emitter: Emitter<PoolEvents>;
  /** A worker has another class of health, or other findings: balancers care. */
  readonly onChange: (slot: Slot) => void;
}

/** Judges workers and acts on it: kills what is dead, replaces what is ill, asks what is stuck where it is. */
export interface HealthChecks {
  check(slot: Slot): void;
}

export function createHealthChecks({ workers, emitter, onChange }: HealthChecksOptions): HealthChecks {
  function act(slot: Slot, { action, fault, runId }: HealthFinding): void {
    if (action === 'kill') {
      // It heeds no SIGTERM, or must not be waited for.
      if (fault === 'unresponsive') workers.kill(slot, 'unresponsive');
      else workers.kill(slot, 'memory');
    } else if (action === 'recycle') workers.replace(slot, fault === 'memory' ? 'memory' : 'busy');
    else if (fault === 'stuck') {
      const run = slot.executing.find((each) => each.runId === runId);
      if (run !== undefined && run.workerStack === undefined) void keepStack(run, slot);
    }
  }

  return {
    check(slot) {
      const before = slot.health.report.class;
      const { class: now, findings } = slot.health.assess(slot.executing);
      const { id: workerId, pid } = slot.worker;
      if (now !== before) emitter.emit('worker:health', { workerId, pid, before, class: now, findings });
      for (const finding of findings) act(slot, finding);
      // Last, lest one that was just found dead is given another run.
      if (now !== before) onChange(slot);
    },
  };
}

/** A main loop that was blocked for less is on its way back, in milliseconds. */
const STUCK_LAG_MS = 50;
const PING_TIMEOUT_MS = 1_000;

/** Keeps where the worker's main thread is for the error of the run, if it is stuck. Never rejects. */
export async function keepStack(run: PoolRun, { worker }: Slot): Promise<void> {
  // Only a side thread can tell while the main one is stuck.
  if (worker.hello?.features.includes('control') !== true) return;
  try {
    const { lagMs = 0 } = await worker.ping({ timeoutMs: PING_TIMEOUT_MS });
    // To look at one that waits for events would pause it at the next.
    if (lagMs >= STUCK_LAG_MS) run.workerStack = (await worker.stack()) ?? run.workerStack;
  } catch {
    // Then there is none to be had.
  }
}
