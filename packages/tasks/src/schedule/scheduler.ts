import {
  checkString,
  createEmitter,
  createLifecycle,
  type EventSource,
  linkAbort,
  onAbort,
  PawlError,
  type Service,
  sleep,
} from '@pawl/core';
import { type BackfillOptions, type BackfillReport, resolveBackfill, runBackfill } from './backfill.ts';
import type { OverlapReason } from './overlap.ts';
import type { ScheduleEntry } from './schedule-entry.ts';
import { freshState, type Pause, type ScheduleState } from './schedule-store.ts';
import { plainSchedule, type Schedule } from './schedule.ts';
import type { SchedulerEvents } from './scheduler-events.ts';
import {
  resolveSchedulerOptions,
  ScheduleNotFoundError,
  type SchedulerOptions,
} from './scheduler-options.ts';
import { createSlotDispatcher, type Look, RETRY_MS, slotRunInfo } from './slot-dispatcher.ts';
import { createPendingRun, createSlotRuns } from './slot-runs.ts';
import { type CompiledSchedule, compileSchedule, createSlotSource, createZoneCache } from './slots.ts';
import { type ScheduleStatus, statusOf } from './schedule-status.ts';
import { createTurns } from './turns.ts';
import { createWallAlarm } from './wall-alarm.ts';

/** What became of a manual run. */
export interface ManualRun {
  readonly key: string;
  readonly result: 'started' | 'waiting' | OverlapReason;
}

/** Makes runs due by the clock. No slot of a schedule is ever given two runs, whatever the clock or a crash does. */
export interface Scheduler extends Service, EventSource<SchedulerEvents> {
  /** Creates a schedule, or changes the one with this id and keeps how far it has come. @throws TypeError, RangeError */
  save(schedule: Schedule): Promise<ScheduleStatus>;
  /** Forgets a schedule: what waits is dropped, what runs goes on. @returns whether there was one */
  remove(id: string): Promise<boolean>;
  get(id: string): ScheduleStatus | undefined;
  /** All schedules, ordered by id. */
  list(): readonly ScheduleStatus[];
  /** Starts no further run; what waits is dropped, what runs goes on. */
  pause(id: string, reason: string): Promise<ScheduleStatus>;
  /** Goes on. The misfire policy decides what becomes of the slots meanwhile. */
  resume(id: string): Promise<ScheduleStatus>;
  /** Leaves out the next slot. Twice is once. @returns its instant, or undefined when there is none */
  skipNext(id: string): Promise<number | undefined>;
  /** Takes that back. @returns whether there was something to take back */
  undoSkip(id: string): Promise<boolean>;
  /** Starts a run now, also of a paused schedule. The overlap policy counts; slots, failures and `maxRuns` do not. */
  runNow(id: string): Promise<ManualRun>;
  /** Gives the slots of a span of the past their runs. The overlap policy, jitter and `maxRuns` do not count. */
  backfill(id: string, options: BackfillOptions): Promise<BackfillReport>;
}

/** @throws TypeError, RangeError for wrong options */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const resolved = resolveSchedulerOptions(options);
  const { store, clock } = resolved;
  const emitter = createEmitter<SchedulerEvents>({ logger: resolved.logger });
  const entries = new Map<string, ScheduleEntry>();
  const runs = createSlotRuns({ ...resolved, emitter });
  const inTurn = createTurns();
  const findZone = createZoneCache();
  /** Whether runs may start. */
  let isActive = false;
  /** Ends what waits until they may. */
  const stopping = new AbortController();
  let manualRuns = 0;
  /** How long the latest look at all schedules took. */
  let busyMs = 0;

  const dispatcher = createSlotDispatcher({
    ...resolved,
    emitter,
    runs,
    isActive: () => isActive,
    onSlotEnd: (entry, changes) => void inTurn(() => settle(entry, changes)),
  });
  const alarm = createWallAlarm({
    clock,
    recheckMs: resolved.recheckMs,
    onWake: (steppedMs) => {
      if (steppedMs !== 0) emitter.emit('clock:stepped', { byMs: steppedMs });
      void inTurn(wake);
    },
  });
  const lifecycle = createLifecycle({
    name: 'the scheduler',
    async start() {
      const records = await store.list();
      for (const { schedule, state } of records) {
        if (entries.has(schedule.id)) continue;
        try {
          entries.set(schedule.id, dispatcher.createEntry(compileSchedule(schedule, findZone), state));
        } catch (error) {
          // Another version of Pawl or of the tz database took it. The others must not wait for somebody to see to it.
          emitter.emit('schedule:refused', { scheduleId: schedule.id, error });
        }
      }
      isActive = true;
      void inTurn(wake);
    },
    async stop({ graceMs }) {
      isActive = false;
      stopping.abort();
      alarm.set(Infinity);
      // What is just being claimed still starts, and what the last runs changed is still written.
      await inTurn(() => Promise.resolve());
      for (const entry of entries.values()) dispatcher.clear(entry, 'stopped');
      const orphaned = await runs.drain(graceMs);
      await inTurn(() => Promise.resolve());
      return { drained: orphaned.length === 0, orphaned };
    },
  });

  /** Gives every due slot its run, then sleeps until the next. */
  async function wake(): Promise<void> {
    const startedAt = clock.now();
    const look = lookNow();
    const due = [...entries.values()].filter((entry) => entry.isDue(look.now));
    // All at once, so that a store may write them together.
    await Promise.all(due.map((entry) => dispatcher.dispatch(entry, look)));
    for (const entry of due) tellEnd(entry);
    busyMs = clock.now() - startedAt;
    arm();
  }

  /** A slot that had to wait for a slow store was not missed. */
  function lookNow(): Look {
    return { now: clock.wallTime(), lateMs: resolved.lateMs + busyMs };
  }

  function arm(): void {
    let at = Infinity;
    for (const entry of entries.values()) at = Math.min(at, entry.wakeAt);
    alarm.set(isActive ? at : Infinity);
  }

  /** As arm, when all that changed is that this schedule has something to do: no look at the others. */
  function armFor(entry: ScheduleEntry): void {
    if (isActive) alarm.setSooner(entry.wakeAt);
  }

  function tellEnd(entry: ScheduleEntry): void {
    if (entry.hasJustEnded()) emitter.emit('schedule:ended', { scheduleId: entry.schedule.id });
  }

  /** A run of a slot is over. */
  async function settle(entry: ScheduleEntry, changes: Partial<ScheduleState>): Promise<void> {
    await dispatcher.persist(entry, changes);
    const { failuresInARow } = entry.state;
    const isKnown = entries.get(entry.schedule.id) === entry;
    if (isKnown && entry.state.pause === null && failuresInARow >= entry.resolved.pauseAfterFailures) {
      const reason = `${failuresInARow} runs failed one after another.`;
      const pause: Pause = { reason, at: clock.wallTime(), cause: 'failures' };
      pauseEntry(entry, pause);
      await dispatcher.persist(entry, { pause });
    }
    tellEnd(entry);
    if (isKnown) armFor(entry);
  }

  function pauseEntry(entry: ScheduleEntry, pause: Pause): void {
    entry.change({ pause });
    dispatcher.clear(entry, 'paused');
    emitter.emit('schedule:paused', { scheduleId: entry.schedule.id, ...pause });
  }

  /** Runs a change of one schedule in its turn, then sets the alarm anew. */
  function changing<T>(id: string, fn: (entry: ScheduleEntry) => Promise<T>): Promise<T> {
    return inTurn(async () => {
      try {
        return await fn(entryOf(id));
      } finally {
        arm();
      }
    });
  }

  function entryOf(id: string): ScheduleEntry {
    const entry = entries.get(id);
    if (entry === undefined) throw new ScheduleNotFoundError(id);
    return entry;
  }

  function checkActive(what: string): void {
    if (isActive) return;
    throw new PawlError(`Can't ${what}: the scheduler is ${lifecycle.state}.`, {
      code: 'SCHEDULER_NOT_RUNNING',
    });
  }

  async function whenRoom(signal: AbortSignal | undefined): Promise<void> {
    using over = linkAbort(stopping.signal, signal);
    while (!over.signal.aborted && !(await resolved.mayFire())) {
      await sleep(clock, RETRY_MS, { signal: over.signal, keepAlive: false }).catch(() => undefined);
    }
  }

  async function loadEntry(compiled: CompiledSchedule): Promise<ScheduleEntry> {
    const known = await store.load(compiled.schedule.id);
    if (known === undefined) return dispatcher.createEntry(compiled, freshState(clock.wallTime()));
    return dispatcher.createEntry(compileSchedule(known.schedule, findZone), known.state);
  }

  async function save(compiled: CompiledSchedule): Promise<ScheduleStatus> {
    const { schedule } = compiled;
    const entry = entries.get(schedule.id) ?? (await loadEntry(compiled));
    const state = entry.stateUnder(compiled);
    await store.save({ schedule, state });
    if (entry.schedule !== schedule) entry.become(compiled, state);
    entries.set(schedule.id, entry);
    emitter.emit('schedule:saved', { scheduleId: schedule.id });
    if (isActive) await dispatcher.dispatch(entry, lookNow());
    tellEnd(entry);
    armFor(entry);
    return statusOf(entry);
  }

  return {
    on: (name, listener) => emitter.on(name, listener),
    onAny: (listener) => emitter.onAny(listener),
    get state() {
      return lifecycle.state;
    },
    start: () => lifecycle.start(),
    stop: (stopOptions) => lifecycle.stop(stopOptions),
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),

    async save(schedule) {
      const compiled = compileSchedule(plainSchedule(schedule), findZone);
      return inTurn(() => save(compiled));
    },
    remove: (id) =>
      inTurn(async () => {
        const isKnown = await store.remove(id);
        const entry = entries.get(id);
        entries.delete(id);
        if (entry !== undefined) dispatcher.clear(entry, 'removed');
        if (isKnown) emitter.emit('schedule:removed', { scheduleId: id });
        arm();
        return isKnown;
      }),
    get(id) {
      const entry = entries.get(id);
      return entry && statusOf(entry);
    },
    list: () => [...entries.keys()].toSorted().map((id) => statusOf(entryOf(id))),
    async pause(id, reason) {
      checkString('reason', reason);
      return changing(id, async (entry) => {
        if (entry.state.pause === null) {
          const pause: Pause = { reason, at: clock.wallTime(), cause: 'asked' };
          await store.update(id, { pause });
          pauseEntry(entry, pause);
        }
        return statusOf(entry);
      });
    },
    resume: (id) =>
      changing(id, async (entry) => {
        if (entry.state.pause === null) return statusOf(entry);
        const changes = { pause: null, failuresInARow: 0 };
        await store.update(id, changes);
        entry.change(changes);
        emitter.emit('schedule:resumed', { scheduleId: id });
        if (isActive) await dispatcher.dispatch(entry, lookNow());
        return statusOf(entry);
      }),
    skipNext: (id) =>
      changing(id, async (entry) => {
        if (entry.state.skipFrom !== null) return entry.state.skipFrom;
        const skipFrom = entry.skippable?.nominalAt;
        if (skipFrom === undefined) return undefined;
        await store.update(id, { skipFrom });
        entry.change({ skipFrom });
        return skipFrom;
      }),
    undoSkip: (id) =>
      changing(id, async (entry) => {
        if (entry.state.skipFrom === null) return false;
        await store.update(id, { skipFrom: null });
        entry.change({ skipFrom: null });
        return true;
      }),
    runNow: (id) =>
      changing(id, async ({ schedule, gate, resolved: rules }) => {
        checkActive(`run "${id}" now`);
        manualRuns += 1;
        const info = slotRunInfo(id, clock.wallTime(), 'manual');
        const key = `${info.key}#${manualRuns}`;
        const result = gate.offer(createPendingRun({ ...info, key, payload: schedule.payload }), rules);
        return { key, result };
      }),
    async backfill(id, backfillOptions) {
      const entry = entryOf(id);
      checkActive(`backfill "${id}"`);
      const span = resolveBackfill(backfillOptions, clock.wallTime());
      if (entry.resolved.pace === 'fixed-delay') {
        throw new TypeError(`Can't backfill "${id}": with \`pace: 'fixed-delay'\` the past has no slots.`);
      }
      return runBackfill(span, {
        source: createSlotSource(entry.resolved),
        whenRoom,
        mayGoOn: () => isActive && entries.get(id) === entry,
        claim: ({ nominalAt }) => store.claimSlot(id, nominalAt),
        async run({ nominalAt }, signal) {
          const info = slotRunInfo(id, nominalAt, 'backfill');
          const run = createPendingRun({ ...info, payload: entry.schedule.payload });
          const unlink = onAbort(signal, (reason) => run.cancel(reason));
          try {
            return await runs.start(run);
          } finally {
            unlink();
          }
        },
      });
    },
  };
}
