import type { Clock } from '@pawl/core';
import { slotDelay } from './jitter.ts';
import { type DuePlan, planDueSlots } from './misfire.ts';
import { createOverlapGate, type OverlapGate, type OverlapGateHooks, type OverlapRules } from './overlap.ts';
import type { ScheduleState } from './schedule-store.ts';
import { type ResolvedSchedule, type Schedule, timingOf } from './schedule.ts';
import type { PendingRun } from './slot-runs.ts';
import type { CompiledSchedule, Slot, SlotSource } from './slots.ts';

/** What the wall clock may lie behind the last slot before it counts as set back. */
const STEP_MS = 1_000;

/** A schedule as its scheduler holds it: what it says, how far it has come, and what goes on. */
export class ScheduleEntry {
  readonly gate: OverlapGate<PendingRun>;
  readonly #clock: Clock;
  #compiled: CompiledSchedule;
  #state: ScheduleState;
  /** Runs of slots that wait or go on: a fixed delay counts from the end of the last. */
  #open = 0;
  /** The first slot from this instant on, kept because cron arithmetic takes long. */
  #found: { readonly from: number; readonly slot: Slot | undefined } | undefined;
  #next: Slot | undefined;
  #nextDueAt = Infinity;
  #notBefore = -Infinity;
  #endTold: boolean;

  constructor(
    compiled: CompiledSchedule,
    state: ScheduleState,
    clock: Clock,
    hooks: OverlapGateHooks<PendingRun>,
  ) {
    this.#clock = clock;
    this.#compiled = compiled;
    this.#state = state;
    this.gate = createOverlapGate(hooks);
    this.rewind();
    this.#findNext();
    this.#endTold = this.ended;
  }

  get schedule(): Schedule {
    return this.#compiled.schedule;
  }
  get resolved(): ResolvedSchedule {
    return this.#compiled.resolved;
  }
  get source(): SlotSource {
    return this.#compiled.source;
  }
  get state(): ScheduleState {
    return this.#state;
  }

  /** How slots are kept apart that are brought back: whoever wants all of them wants none to be skipped. */
  get catchUpRules(): OverlapRules {
    const { misfire, overlap, maxQueued } = this.resolved;
    return misfire === 'all' && overlap !== 'allow'
      ? { overlap: 'queue-all', maxQueued: Infinity }
      : { overlap, maxQueued };
  }

  /** When there is something to do, on the wall clock: a slot is due. */
  get wakeAt(): number {
    if (this.#state.pause !== null || this.#next === undefined) return Infinity;
    return Math.max(this.#nextDueAt, this.#notBefore);
  }

  /** Whether no slot will ever come again. */
  get ended(): boolean {
    return this.#next === undefined && this.#open === 0;
  }

  /** Whether it has ended since this was last asked. */
  hasJustEnded(): boolean {
    const isNew = this.ended && !this.#endTold;
    this.#endTold = this.ended;
    return isNew;
  }

  /** Whether its next slot may be given a run: it is not paused, and `maxRuns` is not reached. */
  get mayRun(): boolean {
    return this.#state.pause === null && this.#state.runs < this.resolved.maxRuns;
  }

  /** When the next run is to start: a slot that is to be skipped does not count. */
  get nextAt(): number | undefined {
    if (this.#state.pause !== null || this.#next === undefined) return undefined;
    const next = this.isSkipped(this.#next) ? this.#after(this.#next) : this.#next;
    return next && this.#dueAt(next);
  }

  /** The slot that would be skipped next: the first one that is still to come. */
  get skippable(): Slot | undefined {
    const from = Math.max(this.#nextFrom(), this.#clock.wallTime());
    return this.#state.runs < this.resolved.maxRuns ? this.source.firstFrom(from) : undefined;
  }

  /** How far it is under another definition: slots that were not due yet follow the new one. */
  stateUnder({ resolved }: CompiledSchedule): ScheduleState {
    if (timingOf(resolved) === timingOf(this.resolved)) return this.#state;
    const handledUntil = Math.max(this.#state.handledUntil, this.#clock.wallTime() - 1);
    return { ...this.#state, handledUntil, skipFrom: null };
  }

  /** Takes over another definition. */
  become(compiled: CompiledSchedule, state: ScheduleState): void {
    this.#compiled = compiled;
    this.#found = undefined;
    this.change(state);
  }

  change(changes: Partial<ScheduleState>): void {
    this.#state = { ...this.#state, ...changes };
    this.#findNext();
  }

  /** Whether a slot is due, or the clock was set back. */
  isDue(now: number): boolean {
    return this.wakeAt <= now || this.#isAhead();
  }

  /** Whether the clock was set back behind what has happened already. */
  #isAhead(): boolean {
    const { handledUntil, lastEndedAt } = this.#state;
    return Math.max(handledUntil, lastEndedAt ?? -Infinity) > this.#clock.wallTime() + STEP_MS;
  }

  /** Accepts that the clock was set back: claims keep what had its run from running again. @returns whether it was */
  rewind(): boolean {
    if (!this.#isAhead()) return false;
    const now = this.#clock.wallTime();
    const { handledUntil, lastEndedAt } = this.#state;
    this.change({
      handledUntil: Math.min(handledUntil, now),
      lastEndedAt: lastEndedAt && Math.min(lastEndedAt, now),
    });
    return true;
  }

  /** What is due by `now`, or undefined when nothing is. */
  plan(now: number, lateMs: number): DuePlan | undefined {
    const next = this.#next;
    if (next === undefined || this.wakeAt > now) return undefined;
    if (this.resolved.pace === 'fixed-rate') {
      return planDueSlots(this.resolved, this.source, { after: this.#state.handledUntil, now, lateMs });
    }
    const isLate = this.#nextDueAt < now - lateMs;
    if (!isLate) return { catchUp: [], onTime: [next], missed: undefined };
    const missed = { count: 1, firstAt: next.nominalAt, lastAt: next.nominalAt };
    return { catchUp: this.resolved.misfire === 'skip' ? [] : [next], onTime: [], missed };
  }

  /** Nothing up to this instant will be looked at again. */
  handled(until: number): Partial<ScheduleState> {
    const changes: { -readonly [Key in keyof ScheduleState]?: ScheduleState[Key] } = { handledUntil: until };
    const { skipFrom } = this.#state;
    if (skipFrom !== null && skipFrom <= until) changes.skipFrom = null;
    if (this.resolved.pace === 'fixed-delay') changes.lastEndedAt = this.#clock.wallTime();
    this.change(changes);
    return changes;
  }

  /** Whether somebody asked to leave this slot out. */
  isSkipped(slot: Slot): boolean {
    const { skipFrom } = this.#state;
    return skipFrom !== null && slot.nominalAt >= skipFrom;
  }

  /** A slot has been given a run that waits or goes on. */
  opened(slot: Slot): Partial<ScheduleState> {
    this.#open += 1;
    const changes = { runs: this.#state.runs + 1, lastSlotAt: slot.nominalAt };
    this.change(changes);
    return changes;
  }

  /** That run is over, or will not start after all. */
  closed(changes: Partial<ScheduleState> = {}): void {
    this.#open -= 1;
    this.change(changes);
  }

  /** Does nothing for a while, because the store failed. */
  holdOff(delayMs: number): void {
    this.#notBefore = this.#clock.wallTime() + delayMs;
  }

  #dueAt(slot: Slot): number {
    return slot.nominalAt + slotDelay(this.resolved, slot.nominalAt);
  }

  #after(slot: Slot): Slot | undefined {
    const { pace, everyMs } = this.resolved;
    return this.source.firstFrom(slot.nominalAt + (pace === 'fixed-delay' ? everyMs : 1));
  }

  #nextFrom(): number {
    const { handledUntil, lastEndedAt } = this.#state;
    if (this.resolved.pace === 'fixed-rate') return handledUntil + 1;
    return lastEndedAt === null ? handledUntil + 1 : lastEndedAt + this.resolved.everyMs;
  }

  #findNext(): void {
    const { pace, maxRuns } = this.resolved;
    const waitsForEnd = pace === 'fixed-delay' && this.#open > 0;
    const isOver = waitsForEnd || this.#state.runs >= maxRuns;
    const from = this.#nextFrom();
    if (this.#found?.from !== from) this.#found = { from, slot: this.source.firstFrom(from) };
    this.#next = isOver ? undefined : this.#found.slot;
    this.#nextDueAt = this.#next === undefined ? Infinity : this.#dueAt(this.#next);
  }
}
