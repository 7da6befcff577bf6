import { type Attempt, attemptLogId, type Run, type RunFailure } from '@pawl/tasks';
import { toIso } from '../api/conventions.ts';
import type { AttemptView, LastLine, RunListView, RunView } from '../api/run-schemas.ts';

/** What a view says that the stored run does not. */
export interface RunSurroundings {
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly waitingFor: string | null;
  readonly lastLine: LastLine | null;
}

/** A run as lists and events have it. */
export function toListView(run: Run, { title, now, waitingFor, lastLine }: RunSurroundings): RunListView {
  const attempt = run.attempts.at(-1);
  const running = run.state === 'running' ? attempt : undefined;
  const { startedAt } = run;
  return {
    id: run.id,
    task: run.task,
    title,
    state: run.state,
    priority: run.priority,
    key: run.key ?? null,
    schedule: run.schedule ?? null,
    idempotencyKey: run.idempotencyKey ?? null,
    createdAt: toIso(run.createdAt),
    availableAt: toIso(run.availableAt),
    startedAt: toIso(startedAt),
    endedAt: toIso(run.endedAt),
    deadlineAt: toIso(run.deadlineAt),
    durationMs: startedAt === undefined ? null : Math.max(0, (run.endedAt ?? now) - startedAt),
    timeoutMs: run.timeoutMs === Infinity ? null : run.timeoutMs,
    maxAttempts: run.maxAttempts,
    attempt: run.fence,
    progress: run.progress ?? null,
    error: toFailureView(run.error),
    ...exitOf(run),
    cancelReason: run.cancelReason ?? null,
    waitingFor,
    pid: running?.process?.pid ?? null,
    host: running?.host.name ?? null,
    heartbeatAt: toIso(run.heartbeatAt),
    lastLine,
    links: { self: `/v1/runs/${run.id}`, logs: `/v1/runs/${run.id}/logs` },
  };
}

/** A run with everything. */
export function toRunView(run: Run, surroundings: RunSurroundings): RunView {
  return {
    ...toListView(run, surroundings),
    input: run.input,
    attempts: run.attempts.map((attempt) => toAttemptView(run.id, attempt)),
    result: run.result ?? run.error?.details?.['result'] ?? null,
  };
}

function toAttemptView(runId: string, attempt: Attempt): AttemptView {
  const { fence, process, host, receipt } = attempt;
  return {
    // Each try has a number of its own, also those that cost no attempt.
    number: fence,
    fence,
    startedAt: toIso(attempt.startedAt),
    endedAt: toIso(attempt.endedAt),
    outcome: attempt.outcome ?? null,
    error: toFailureView(attempt.error),
    pid: process?.pid ?? null,
    host: host.name,
    receipt:
      receipt === undefined
        ? null
        : {
            reason: receipt.reason,
            host: receipt.host.name,
            pid: receipt.process?.pid ?? null,
            lastHeartbeatAt: toIso(receipt.lastHeartbeatAt),
            foundAt: toIso(receipt.foundAt),
            endedPids: [...receipt.endedPids],
          },
    logId: attemptLogId(runId, fence),
  };
}

function toFailureView(failure: RunFailure | undefined): RunView['error'] {
  if (failure === undefined) return null;
  const { name, message, code = null, stack = null, details } = failure;
  // What came of a run that failed is in its result.
  const { result: _result, ...others } = details ?? {};
  return { name, message, code, stack, details: details === undefined ? null : others };
}

/** How the process of a run ended: a run that succeeded says it in its result, one that failed in its error. */
function exitOf(run: Run): Pick<RunListView, 'exitCode' | 'signal'> {
  const { exitCode, signal } = fieldsOf(run.result ?? run.error?.details);
  return {
    exitCode: typeof exitCode === 'number' ? exitCode : null,
    signal: typeof signal === 'string' ? signal : null,
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
