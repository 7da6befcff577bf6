import type { WorkerStatus } from './pool-stats.ts';
import type { Slot } from './worker-slot.ts';

/** A worker as its pool's users see it, at a moment on the pool's clock. */
export function workerStatus(slot: Slot, now: number): WorkerStatus {
  const { worker, health } = slot;
  return {
    workerId: worker.id,
    pid: worker.pid,
    state: slot.shownState,
    health: health.report.class,
    findings: health.report.findings,
    runId: slot.onlyRun?.runId,
    runIds: slot.executing.map((run) => run.runId),
    runsAhead: slot.ahead.length,
    runsDone: worker.runsDone,
    ageMs: now - slot.startedAt,
    rssBytes: health.rssBytes,
    silentMs: now - (health.heardAt ?? slot.startedAt),
  };
}
