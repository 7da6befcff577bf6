import type { Logger } from '@pawl/core';
import type { Connection, OpenCall } from '@pawl/ipc';

/** A worker's own word on how it is. What it leaves out is `undefined`. */
export interface Pong {
  readonly pid: number | undefined;
  readonly uptimeMs: number | undefined;
  readonly rssBytes: number | undefined;
  /** Runs taken and not yet answered. */
  readonly runsActive: number | undefined;
  /** Runs answered, whatever the answer. */
  readonly runsDone: number | undefined;
  /** Those of them that were answered with an error. */
  readonly runsFailed: number | undefined;
  /** How long its main loop has been blocked, in milliseconds: a busy task, where a dead process gives no pong. */
  readonly lagMs: number | undefined;
}

/** How long a worker may take to give back runs, or to tell where it is. Its side thread answers in a millisecond or two. */
const CONTROL_TIMEOUT_MS = 1_000;
/**
 * Asks for runs that have not begun. Each that is given back rejects with a WithdrawnError. Never rejects.
 * @param control where the worker answers while a run keeps its main thread
 * @param connection where the runs were sent
 */
export async function withdrawRuns(
  control: Connection,
  connection: Connection,
  calls: readonly OpenCall[],
  logger: Logger,
): Promise<void> {
  const ids = calls.map((call) => call.id);
  try {
    const answer = await control.request('withdraw', { ids }, { timeoutMs: CONTROL_TIMEOUT_MS });
    connection.withdrawn(idsOf(answer, ids));
  } catch (error) {
    // Then they run, or end with the worker.
    logger.debug({ err: error }, 'Runs could not be withdrawn.');
  }
}

/** @throws RequestTimeoutError, ConnectionClosedError, or what the worker answered */
export async function pingWorker(control: Connection, timeoutMs: number): Promise<Pong> {
  const answer = await control.request('ping', undefined, { timeoutMs });
  const said = (answer ?? {}) as Readonly<Record<string, unknown>>;
  const number = (name: keyof Pong): number | undefined => {
    const value = said[name];
    return typeof value === 'number' ? value : undefined;
  };
  return {
    pid: number('pid'),
    uptimeMs: number('uptimeMs'),
    rssBytes: number('rssBytes'),
    runsActive: number('runsActive'),
    runsDone: number('runsDone'),
    runsFailed: number('runsFailed'),
    lagMs: number('lagMs'),
  };
}

/** Where a worker's main thread is; undefined when it does not say. Never rejects. */
export async function workerStack(control: Connection): Promise<string | undefined> {
  try {
    const answer = await control.request('stack', undefined, { timeoutMs: CONTROL_TIMEOUT_MS });
    return typeof answer === 'string' ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** The ids that a worker named and was asked for: it is not trusted with others. */
function idsOf(answer: unknown, asked: readonly number[]): readonly number[] {
  const { withdrawn } = (answer ?? {}) as { readonly withdrawn?: unknown };
  return Array.isArray(withdrawn) ? asked.filter((id) => withdrawn.includes(id)) : [];
}
