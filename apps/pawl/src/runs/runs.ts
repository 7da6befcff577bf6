import { type Clock, linkAbort } from '@pawl/core';
import { isFinal, type Run, RunNotFoundError, type RunSpec } from '@pawl/tasks';
import type { RunQuery, RunTracker, StartedRun } from '@pawl/tasks';
import { type Kind, KINDS, type RunListView, type RunRequest, type RunView } from '../api/run-schemas.ts';
import { HttpError } from '../http-errors.ts';
import type { LiveRuns } from './live-runs.ts';
import { kindOf, type PreparedRun, type RunKind, type RunKinds } from './run-kind.ts';
import type { RunLogs } from './run-logs.ts';
import { type RunSurroundings, toListView, toRunView } from './run-view.ts';
import { waitingFor } from './waiting-for.ts';

/** A run that was just submitted, or was there already. */
export interface SubmittedRun {
  readonly run: RunView;
  /** Whether its idempotency key had been used for the same request: then this is the earlier run. */
  readonly replayed: boolean;
}

export interface RunList {
  readonly runs: readonly RunListView[];
  readonly nextCursor: string | null;
}

export interface WaitForRun {
  readonly timeoutMs: number;
  /** Ends the wait, not the run: it answers with the run as it is. */
  readonly signal: AbortSignal;
}

export interface SubmitOptions {
  /** Takes it also while the service ends: it runs after the next start. @default false */
  readonly whileStopping?: boolean;
  /** The schedule whose slot it has. */
  readonly schedule?: string;
}

/** Tracked runs, in the words of the HTTP service. */
export interface Runs {
  /** @throws HttpError 422 naming the field; IdempotencyConflictError, RunQueueFullError, RunStoreError, TrackerStoppedError */
  submit(request: RunRequest, options?: SubmitOptions): Promise<SubmittedRun>;
  /** Each by itself, stored in this order. What kept one from being stored is in its place. */
  submitAll(requests: readonly (RunRequest | Error)[]): Promise<readonly (SubmittedRun | Error)[]>;
  /** The request as it may be kept for later: looked at, and without secrets in clear. @throws as `submit` */
  toStored(request: RunRequest): Promise<RunRequest>;
  /** @throws PawlError `INVALID_CURSOR` */
  list(query: RunQuery): Promise<RunList>;
  /** @throws RunNotFoundError, as all that follow */
  get(id: string): Promise<RunView>;
  /** As `get`, once it has ended, or when the time is over. */
  wait(id: string, how: WaitForRun): Promise<RunView>;
  /** @throws HttpError 409 when it had ended */
  cancel(id: string, reason: string | undefined): Promise<RunView>;
  /** Submits the same request once more. @throws HttpError 409 unless it has ended; as `submit` */
  retry(id: string): Promise<RunView>;
  /** Forgets a run and its logs. @throws RunNotEndedError */
  remove(id: string): Promise<void>;
  /** A run as lists and events have it, but for its last line. */
  summary(run: Run): RunListView;
}

export interface RunsOptions {
  readonly tracker: RunTracker;
  readonly live: LiveRuns;
  readonly logs: RunLogs;
  readonly kinds: RunKinds;
  /** Runs under way at a time. */
  readonly maxConcurrent: number;
  /** Whether runs are taken: not while the service ends. */
  readonly isOpen: () => boolean;
  /** Ends all waits: they answer with the run as it is. */
  readonly closing: AbortSignal;
  readonly clock: Clock;
}

export function createRuns(options: RunsOptions): Runs {
  const { tracker, live, logs, kinds, maxConcurrent, isOpen, closing, clock } = options;

  async function toSpec(
    request: RunRequest,
    { whileStopping = false, schedule }: SubmitOptions = {},
  ): Promise<RunSpec> {
    if (!whileStopping && !isOpen()) throw new HttpError(503, 'STOPPING', 'The service is stopping.');
    const { name, payload, others } = split(request);
    return { ...(await prepare(name, payload)), ...others, schedule };
  }

  async function prepare(name: Kind, payload: unknown): Promise<PreparedRun> {
    return (kinds[name] as RunKind<unknown>).prepare(payload);
  }

  async function start(spec: RunSpec): Promise<SubmittedRun> {
    const { replayed, ...run }: StartedRun = await tracker.start(spec);
    return { run: await view(run), replayed };
  }

  async function find(id: string): Promise<Run> {
    const run = await tracker.get(id);
    if (run === undefined) throw new RunNotFoundError(id);
    return run;
  }

  async function view(run: Run): Promise<RunView> {
    return toRunView(run, { ...surroundings(run), lastLine: await logs.lastLine(run) });
  }

  function surroundings(run: Run): RunSurroundings {
    const now = clock.wallTime();
    return {
      title: kindOf(kinds, run.task)?.title(run.input) ?? run.task,
      now,
      waitingFor: waitingFor(run, { live, maxConcurrent, now }),
      lastLine: null,
    };
  }

  return {
    submit: async (request, submitOptions) => start(await toSpec(request, submitOptions)),
    async submitAll(requests) {
      // All are looked at before the first is stored, so that they are stored in this order.
      const specs = await Promise.all(
        requests.map(async (request) =>
          request instanceof Error ? request : toSpec(request).catch(asError),
        ),
      );
      return Promise.all(
        specs.map(async (spec) => (spec instanceof Error ? spec : start(spec).catch(asError))),
      );
    },
    async toStored(request) {
      const { name, payload, others } = split(request);
      const { input } = await prepare(name, payload);
      // What a kind prepared is itself a request of it.
      return { ...others, [name]: input };
    },
    async list(query) {
      const { runs, nextCursor = null } = await tracker.list(query);
      const views = runs.map(async (run) =>
        toListView(run, { ...surroundings(run), lastLine: await logs.lastLine(run) }),
      );
      return { runs: await Promise.all(views), nextCursor };
    },
    get: async (id) => view(await find(id)),
    async wait(id, { timeoutMs, signal }) {
      using over = linkAbort(closing, signal);
      const timer = clock.setTimer(timeoutMs, () => over.abort(undefined));
      try {
        return await view(await tracker.wait(id, { signal: over.signal }));
      } catch (error) {
        if (!over.signal.aborted) throw error;
        return await view(await find(id));
      } finally {
        timer.cancel();
      }
    },
    async cancel(id, reason) {
      const { state } = await find(id);
      if (isFinal(state)) throw new HttpError(409, 'RUN_ENDED', `Run ${id} has ended already: ${state}.`);
      return view(await tracker.cancel(id, { reason }));
    },
    async retry(id) {
      const { task, state, input, ...before } = await find(id);
      if (!isFinal(state))
        throw new HttpError(409, 'RUN_NOT_ENDED', `Run ${id} has not ended: it is ${state}.`);
      const kind = kindOf(kinds, task);
      if (kind === undefined) throw new HttpError(409, 'UNKNOWN_TASK', `There is no task ${task} any more.`);
      if (!isOpen()) throw new HttpError(503, 'STOPPING', 'The service is stopping.');
      const { key, schedule, priority, timeoutMs, maxAttempts, deadlineAt, createdAt } = before;
      const deadlineMs = deadlineAt === undefined ? undefined : deadlineAt - createdAt;
      const again = { key, schedule, priority, timeoutMs, maxAttempts, deadlineMs };
      const { run } = await start({ ...(await kind.prepare(input)), ...again });
      return run;
    },
    async remove(id) {
      const run = await find(id);
      await tracker.remove(id);
      await logs.remove(run);
    },
    summary: (run) => toListView(run, surroundings(run)),
  };
}

/** What a request asks for, and how it is to be run. */
function split({ script, command, python, module, ...others }: RunRequest) {
  const payloads = { script, command, python, module };
  const name = KINDS.find((kind) => payloads[kind] !== undefined) as Kind;
  return { name, payload: payloads[name], others };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
