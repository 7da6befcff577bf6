import { type Clock, hasCode, sleep } from '@pawl/core';
import {
  attemptLogId,
  isFinal,
  type OutputEntry,
  type OutputLog,
  type OutputLogs,
  type OutputStream,
} from '@pawl/tasks';
import { type Run, RunNotFoundError, type RunTracker } from '@pawl/tasks';
import { toIso } from '../api/conventions.ts';
import type { LastLine, LogEntryView, LogPageView } from '../api/run-schemas.ts';
import type { StreamEvent } from '../event-stream.ts';
import { HttpError } from '../http-errors.ts';
import type { RunChanges, RunWatch } from './run-changes.ts';

/** Which of the logs of a run; the latest unless said otherwise. */
interface OfAttempt {
  readonly attempt?: number | undefined;
}

/** What runs print, in the words of the HTTP service. All throw RunNotFoundError, and HttpError 404 for the attempt. */
export interface RunLogs {
  page(
    runId: string,
    how: OfAttempt & { readonly tail: number; readonly since?: number | undefined },
  ): Promise<LogPageView>;
  /** What the process wrote until now, byte for byte. */
  download(
    runId: string,
    how: OfAttempt & { readonly stream?: OutputStream | undefined },
  ): Promise<{ readonly name: string; readonly bytes: AsyncIterable<Buffer> }>;
  /**
   * What is kept from an offset on, then what comes, then `complete`.
   * @returns undefined when all of it had been seen. @throws HttpError 400 for an offset where no entry begins
   */
  follow(
    runId: string,
    how: OfAttempt & { readonly from: number; readonly isResumed: boolean },
  ): Promise<((signal: AbortSignal) => AsyncIterable<StreamEvent>) | undefined>;
  /** What a run printed last, while it runs. */
  lastLine(run: Run): Promise<LastLine | null>;
  /** Removes all logs of a run that has ended. */
  remove(run: Run): Promise<void>;
}

export interface RunLogsOptions {
  readonly tracker: Pick<RunTracker, 'get'>;
  readonly logs: OutputLogs;
  readonly changes: RunChanges;
  readonly clock: Clock;
}

/** A last line in a list is for a look, not for reading. */
const MAX_LAST_LINE_CHARACTERS = 1_000;
/** Between the start of an attempt and the moment its code begins its log. */
const BEGIN_MS = 20;
const NEWLINE = 0x0a;

export function createRunLogs({ tracker, logs, changes, clock }: RunLogsOptions): RunLogs {
  async function find(runId: string): Promise<Run> {
    const run = await tracker.get(runId);
    if (run === undefined) throw new RunNotFoundError(runId);
    return run;
  }

  async function open(runId: string, fence: number): Promise<OutputLog | undefined> {
    if (fence === 0) return undefined;
    try {
      return await logs.open(attemptLogId(runId, fence));
    } catch (error) {
      if (hasCode(error, 'OUTPUT_LOG_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** @returns undefined when the run ended without a log */
  async function untilOpen(
    runId: string,
    attempt: number | undefined,
    watch: RunWatch,
    signal: AbortSignal,
  ): Promise<{ readonly log: OutputLog; readonly fence: number } | undefined> {
    for (;;) {
      const change = watch.next(signal);
      const run = await find(runId);
      const fence = fenceOf(run, attempt);
      const log = await open(runId, fence);
      if (log !== undefined) return { log, fence };
      if (isFinal(run.state)) return undefined;
      await (run.state === 'running' ? sleep(clock, BEGIN_MS, { signal }) : change);
    }
  }

  /** The state of a run once an attempt is over: the log ends a moment before, or while the tracker stops. */
  async function stateAfter(
    runId: string,
    fence: number,
    watch: RunWatch,
    signal: AbortSignal,
  ): Promise<Run['state'] | null> {
    for (;;) {
      const change = watch.next(signal);
      const run = isOver(watch.latest, fence) ? watch.latest : await tracker.get(runId);
      if (run === undefined || isOver(run, fence)) return run?.state ?? null;
      await change;
    }
  }

  async function* events(
    runId: string,
    { attempt, from }: OfAttempt & { readonly from: number },
    signal: AbortSignal,
  ): AsyncGenerator<StreamEvent> {
    using watch = changes.watch(runId);
    const opened = await untilOpen(runId, attempt, watch, signal);
    if (opened === undefined) {
      const { state } = await find(runId);
      yield { id: 0, event: 'complete', data: JSON.stringify({ state }) };
      return;
    }
    for await (const event of opened.log.follow({ from, signal })) {
      const { nextOffset: id } = event;
      if (event.type === 'entry') {
        const { at, level, stream, text, endsLine } = event;
        yield { id, event: 'entry', data: JSON.stringify({ at: toIso(at), level, stream, text, endsLine }) };
      } else if (event.type === 'dropped') {
        yield { id, event: 'dropped', data: JSON.stringify({ bytes: event.bytes }) };
      } else {
        const state = await stateAfter(runId, opened.fence, watch, signal);
        yield { id, event: 'complete', data: JSON.stringify({ state }) };
      }
    }
  }

  return {
    async page(runId, { attempt, tail, since }) {
      const run = await find(runId);
      const fence = fenceOf(run, attempt);
      const log = await open(runId, fence);
      const entries = (await log?.tail(tail, since === undefined ? {} : { since })) ?? [];
      return {
        runId,
        attempt: fence,
        entries: entries.map(toEntryView),
        complete: log?.isComplete ?? isFinal(run.state),
        endOffset: log?.endOffset ?? 0,
      };
    },
    async download(runId, { attempt, stream }) {
      const fence = fenceOf(await find(runId), attempt);
      const log = await open(runId, fence);
      const name = `${attemptLogId(runId, Math.max(1, fence))}${stream === undefined ? '' : `.${stream}`}.log`;
      return { name, bytes: log === undefined ? noBytes() : log.download(stream) };
    },
    async follow(runId, { attempt, from, isResumed }) {
      const run = await find(runId);
      const log = await open(runId, fenceOf(run, attempt));
      if (!(await isEntryOffset(log, from))) {
        const message = `Expected \`from\` to be the \`nextOffset\` of an entry, got \`${from}\`.`;
        throw new HttpError(400, 'QUERY_INVALID', message, [{ field: 'from', message }]);
      }
      if (isResumed && isFinal(run.state) && log?.isComplete !== false && from === (log?.endOffset ?? 0))
        return undefined;
      return (signal) => events(runId, { attempt, from }, signal);
    },
    async lastLine(run) {
      if (run.state !== 'running') return null;
      const [entry] = (await (await open(run.id, run.fence))?.tail(1)) ?? [];
      if (entry === undefined) return null;
      const { at, stream, level, text } = entry;
      return { at: toIso(at), stream, level, text: text.slice(0, MAX_LAST_LINE_CHARACTERS) };
    },
    async remove({ id, fence }) {
      for (let attempt = 1; attempt <= fence; attempt += 1) await logs.remove(attemptLogId(id, attempt));
    },
  };
}

/** The fence of the attempt that is asked for; 0 when none has begun. */
function fenceOf(run: Run, attempt: number | undefined): number {
  if (attempt !== undefined && attempt > run.fence) {
    throw new HttpError(
      404,
      'ATTEMPT_NOT_FOUND',
      `Run ${run.id} has had ${run.fence} attempts, not ${attempt}.`,
    );
  }
  return attempt ?? run.fence;
}

function toEntryView({ at, ...entry }: OutputEntry): LogEntryView {
  const { level, stream, text, endsLine, offset, nextOffset } = entry;
  return { at: toIso(at), level, stream, text, endsLine, offset, nextOffset };
}

/** Whether the attempt with this fence is. */
function isOver(run: Run | undefined, fence: number): boolean {
  return run !== undefined && (run.state !== 'running' || run.fence !== fence) && run.fence >= fence;
}

/** Whether an entry begins, or will begin, at this byte; true for one that is not kept any more. */
async function isEntryOffset(log: OutputLog | undefined, from: number): Promise<boolean> {
  if (from === 0) return true;
  if (log === undefined || from > log.endOffset) return false;
  try {
    for await (const bytes of log.read({ from: from - 1 })) return bytes[0] === NEWLINE;
  } catch (error) {
    if (!hasCode(error, 'OUTPUT_DROPPED')) throw error;
  }
  return true;
}

async function* noBytes(): AsyncGenerator<Buffer> {}
