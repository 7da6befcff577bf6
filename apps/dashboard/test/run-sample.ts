import type { RunSummary } from '../src/api/runs.ts';

/** A run for tests of pure parts. */
export function sampleRun(id: string, part: Partial<RunSummary> = {}): RunSummary {
  return {
    id,
    task: 'command',
    title: `sleep ${id}`,
    state: 'running',
    priority: 2,
    key: null,
    schedule: null,
    createdAt: '2026-03-08T07:00:00.000Z',
    availableAt: '2026-03-08T07:00:00.000Z',
    startedAt: '2026-03-08T07:00:01.000Z',
    endedAt: null,
    deadlineAt: null,
    durationMs: null,
    timeoutMs: null,
    maxAttempts: 1,
    attempt: 1,
    progress: null,
    error: null,
    exitCode: null,
    signal: null,
    cancelReason: null,
    waitingFor: null,
    pid: 1,
    host: 'here',
    heartbeatAt: null,
    idempotencyKey: null,
    lastLine: null,
    ...part,
  };
}
