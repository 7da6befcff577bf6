import type { OpenCall } from '@pawl/ipc';
import type { PoolRun } from './pool-run.ts';
import type { Slot } from './worker-slot.ts';

/**
 * Asks workers for the runs that were sent ahead to them. Until its next answer a worker that was asked gets none again.
 * @param onBegun it was not given back, because the worker executes it by now
 */
export function createRunRecall(onBegun: (run: PoolRun, slot: Slot) => void): (slot: Slot) => void {
  return (slot) => {
    slot.stalled = true;
    const runs: PoolRun[] = [];
    const calls: OpenCall[] = [];
    for (const run of slot.ahead) {
      if (run.isRecalled || run.call === undefined) continue;
      run.isRecalled = true;
      runs.push(run);
      calls.push(run.call);
    }
    if (runs.length === 0) return;
    void slot.worker.withdraw(calls).then(() => {
      for (const [index, run] of runs.entries()) {
        if (run.call !== calls[index]) continue;
        run.isRecalled = false;
        // It had begun, or it would be back.
        if (!run.hasBegun && !run.settled && slot.executing.includes(run)) onBegun(run, slot);
      }
    });
  };
}
