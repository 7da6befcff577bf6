import { randomUUID } from 'node:crypto';
import {
  checkKnownKeys,
  checkSignal,
  checkString,
  createEmitter,
  createLifecycle,
  type EventSource,
  hasCode,
  type Service,
  sleep,
  type StopReport,
} from '@pawl/core';
import { createProcessManager } from '@pawl/runtime';
import { thisHost } from './process-identity.ts';
import { createRunId } from './run-id.ts';
import type { RunPage, RunQuery } from './run-query.ts';
import { RunDispatcher, factsOf } from './run-dispatcher.ts';
import { recoverRuns } from './run-recovery.ts';
import { checkRunSpec, type RunSpec, toNewRun } from './run-spec.ts';
import { isFinal } from './run-state.ts';
import type { AddedRun, RunCounts } from './run-store.ts';
import { createRunWaiters } from './run-waiters.ts';
import type { Run } from './run.ts';
import { createStoreCalls } from './store-calls.ts';
import { keepUp } from './tracker-upkeep.ts';
import type { TrackerEvents } from './tracker-events.ts';
import { resolveTrackerOptions, type RunTrackerOptions } from './tracker-options.ts';
import { RunNotFoundError, TrackerStoppedError } from './tracking-errors.ts';

/** A run that was just submitted, or was there already. */
export interface StartedRun extends Run {
  /** Whether its idempotency key had been used for the same task and input: then this is the earlier run. */
  readonly replayed: boolean;
}

export interface WaitOptions {
  /** Ends the wait, not the run. */
  readonly signal?: AbortSignal | undefined;
}

export interface CancelOptions {
  /** Stored with the run. */
  readonly reason?: string | undefined;
}

/**
 * Runs tasks in the background and keeps track of each of them in a store: what was answered is on disk, what was
 * running when the host died is found and settled by the next one.
 */
export interface RunTracker extends Service, EventSource<TrackerEvents> {
  /** Without a run: takes the store and begins to work, as every service. Other calls do it by themselves. */
  start(): Promise<void>;
  /**
   * Submits a run. Resolves when it is stored for good.
   * @throws UnknownTaskError, IdempotencyConflictError, RunQueueFullError, RunStoreError, TrackerStoppedError; TypeError,
   * RangeError
   */
  start(spec: RunSpec): Promise<StartedRun>;
  get(id: string): Promise<Run | undefined>;
  /** The latest submission first. @throws TypeError, RangeError, PawlError `INVALID_CURSOR` */
  list(query?: RunQuery): Promise<RunPage>;
  counts(): Promise<RunCounts>;
  /**
   * Ends a run, with every process it started, and does not try it again. Resolves when it is over: `cancelled`, or
   * as it had ended before. @throws RunNotFoundError
   */
  cancel(id: string, options?: CancelOptions): Promise<Run>;
  /** Forgets a run that is over; its idempotency key may be used anew. @throws RunNotFoundError, RunNotEndedError */
  remove(id: string): Promise<void>;
  /** Resolves when the run is over, however it ended. @throws RunNotFoundError, TrackerStoppedError, the signal's reason */
  wait(id: string, options?: WaitOptions): Promise<Run>;
  /**
   * Begins no further run, and resolves when those that run have ended. What is queued stays so for the next host. The
   * way to a stop whose grace the caller decides: `stop({ graceMs: 0 })` ends what is left.
   */
  drain(): Promise<void>;
  /** Resolves when every run is over that is queued or running now. @throws as `wait` */
  waitAll(options?: WaitOptions): Promise<readonly Run[]>;
}

/** Collisions of 32 random bits within one second and task. */
const MAX_ID_TRIES = 5;
const PAGE = 1_000;

/** @throws TypeError, RangeError naming the option that is wrong or unknown */
export function createRunTracker(trackerOptions: RunTrackerOptions): RunTracker {
  const options = resolveTrackerOptions(trackerOptions);
  const { store, clock, random, logger, taskOf, maxPayloadBytes } = options;
  const host = thisHost(randomUUID(), clock.wallTime());
  const events = createEmitter<TrackerEvents>({ logger });
  const processes = createProcessManager({ clock });
  const waiters = createRunWaiters();
  /** Ends what goes on beside the runs: heartbeats, retention, recovery, and asking a failing store again. */
  const closing = new AbortController();
  const { signal } = closing;
  const background: Promise<void>[] = [];
  let hasStore = false;

  const calls = createStoreCalls({
    clock,
    logger,
    signal,
    onFailure: (failure) => events.emit('store:failed', failure),
  });
  const dispatcher = new RunDispatcher({
    ...options,
    calls,
    events,
    onEnded: (run) => waiters.resolve(run),
    runner: {
      ...options,
      processes,
      hostId: host.id,
      noteProcess: async (run, child) => {
        try {
          await store.noteProcess(run.id, run.fence, child);
        } catch (error) {
          if (hasCode(error, 'STALE_ATTEMPT', 'RUN_NOT_FOUND')) dispatcher.letGo(run.id);
          // The process runs already, and on Linux its mark is enough to find it.
          else logger.warn({ err: error, runId: run.id, pid: child.pid }, 'A process could not be noted.');
        }
      },
    },
  });

  const lifecycle = createLifecycle({
    name: 'the run tracker',
    async start() {
      const { maxPerKey, maxQueued } = options;
      await store.open({ host: { ...host, since: clock.wallTime() }, maxPerKey, maxQueued });
      hasStore = true;
      background.push(recover(), keepUp({ ...options, dispatcher, events, signal }));
      dispatcher.pump();
    },
    stop: ({ graceMs }) => shutDown(graceMs),
  });

  async function shutDown(graceMs: number): Promise<StopReport> {
    const drained = dispatcher.drain();
    const grace = new AbortController();
    await Promise.race([drained, sleep(clock, graceMs, { signal: grace.signal }).catch(() => undefined)]);
    grace.abort();
    const orphaned = dispatcher.live.map(({ run }) => run.id);
    closing.abort();
    dispatcher.abortAll();
    await drained;
    await Promise.all(background);
    await processes.stop({ graceMs: options.killGraceMs });
    waiters.close(new TrackerStoppedError());
    // One that could not be taken is somebody else's.
    if (hasStore) await store.close();
    return { drained: orphaned.length === 0, orphaned };
  }

  async function recover(): Promise<void> {
    await recoverRuns({
      ...options,
      calls,
      host,
      signal,
      onLost: (before, after, receipt) => {
        events.emit('attempt:lost', { ...factsOf(before), receipt });
        dispatcher.tellNext(after, clock.wallTime());
        dispatcher.pump();
      },
    }).catch((error: unknown) => {
      logger.error({ err: error }, 'Lost runs could not be recovered; the next host finds them.');
    });
  }

  /** @throws TrackerStoppedError, StoreLockedError, RunStoreError */
  async function whileRunning(): Promise<void> {
    try {
      await lifecycle.start();
    } catch (error) {
      throw hasCode(error, 'SERVICE_STOPPED') ? new TrackerStoppedError() : error;
    }
  }

  /** Also while the tracker drains: what still runs can be looked at, waited for and cancelled. */
  async function whileOpen(): Promise<void> {
    if (lifecycle.state !== 'draining') await whileRunning();
  }

  async function submit(spec: RunSpec): Promise<StartedRun> {
    const task = taskOf(checkRunSpec(spec).task);
    const draft = toNewRun(spec, task, clock.wallTime(), maxPayloadBytes);
    await whileRunning();
    for (let tries = 1; ; tries += 1) {
      let added: AddedRun;
      try {
        added = await store.add({ ...draft, id: createRunId(spec.task, { clock, random }) });
      } catch (error) {
        if (hasCode(error, 'RUN_EXISTS') && tries < MAX_ID_TRIES) continue;
        throw error;
      }
      if (added.created) {
        events.emit('run:submitted', { run: added.run });
        dispatcher.notice(added.run);
      }
      return { ...added.run, replayed: !added.created };
    }
  }

  async function wait(id: string, { signal: abort }: WaitOptions = {}): Promise<Run> {
    checkString('id', id);
    if (abort !== undefined) checkSignal('signal', abort);
    await whileOpen();
    // Listening comes before looking, so that no end can fall between the two.
    using waiter = waiters.wait(id, abort);
    const run = await store.get(id);
    if (run === undefined) throw new RunNotFoundError(id);
    return isFinal(run.state) ? run : await waiter.ended;
  }

  async function waitAll(waitOptions: WaitOptions = {}): Promise<readonly Run[]> {
    await whileOpen();
    const ended: Promise<Run>[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list({ state: ['queued', 'running'], limit: PAGE, cursor });
      for (const { id } of page.runs) ended.push(wait(id, waitOptions));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return Promise.all(ended);
  }

  async function cancel(id: string, cancelOptions: CancelOptions = {}): Promise<Run> {
    checkString('id', id);
    checkKnownKeys('cancel', cancelOptions, ['reason']);
    if (cancelOptions.reason !== undefined) checkString('reason', cancelOptions.reason);
    await whileOpen();
    const { run, changed } = await store.cancel(id, clock.wallTime(), cancelOptions.reason);
    if (run.state === 'running') {
      dispatcher.cancel(run);
      return wait(id);
    }
    if (changed) dispatcher.tellNext(run, clock.wallTime());
    return run;
  }

  function start(): Promise<void>;
  function start(spec: RunSpec): Promise<StartedRun>;
  function start(spec?: RunSpec): Promise<StartedRun | void> {
    return spec === undefined ? lifecycle.start() : submit(spec);
  }

  return {
    get state() {
      return lifecycle.state;
    },
    start,
    stop: (how) => lifecycle.stop(how),
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),
    on: (name, listener) => events.on(name, listener),
    onAny: (listener) => events.onAny(listener),
    async get(id) {
      checkString('id', id);
      await whileOpen();
      return store.get(id);
    },
    async list(query = {}) {
      await whileOpen();
      return store.list(query);
    },
    async counts() {
      await whileOpen();
      return store.counts();
    },
    cancel,
    async remove(id) {
      checkString('id', id);
      await whileOpen();
      await store.delete(id);
      events.emit('runs:removed', { runIds: [id] });
    },
    drain: () => dispatcher.drain(),
    wait,
    waitAll,
  };
}
