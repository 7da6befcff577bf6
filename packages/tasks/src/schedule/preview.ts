import { checkInteger } from '@pawl/core';
import { slotDelay } from './jitter.ts';
import type { Schedule } from './schedule.ts';
import { compileSchedule } from './slots.ts';

/** A slot as it will be, if nothing but the schedule decides. */
export interface PreviewedSlot {
  /** Its identity, in milliseconds since the epoch. */
  readonly nominalAt: number;
  /** When it fires: jitter included. */
  readonly dueAt: number;
  /** `nominalAt` as the schedule's zone shows it: `2026-03-08T03:00:00-04:00`. */
  readonly local: string;
  /** What changes of the clocks do: "02:30 does not exist on 8 March: 03:00 by policy." */
  readonly notes: readonly string[];
}

/** Previews are lists for people. */
const MAX_PREVIEW = 10_000;

/**
 * The first slots at or after `from`, exactly as a scheduler fires them. With `pace: 'fixed-delay'` as though the runs
 * took no time.
 * @param from milliseconds since the epoch
 * @param count from 1 to 10000; fewer slots come when `endAt` or `maxRuns` is reached
 * @throws TypeError, RangeError for a wrong schedule
 */
export function preview(schedule: Schedule, from: number, count: number): readonly PreviewedSlot[] {
  const { resolved, source } = compileSchedule(schedule);
  checkInteger('count', count, { min: 1, max: MAX_PREVIEW });
  const distance = resolved.pace === 'fixed-delay' ? resolved.everyMs : 1;
  const slots: PreviewedSlot[] = [];
  let slot = source.firstFrom(checkInteger('from', from));
  while (slot !== undefined && slots.length < Math.min(count, resolved.maxRuns)) {
    const { nominalAt, notes } = slot;
    const dueAt = nominalAt + slotDelay(resolved, nominalAt);
    slots.push({ nominalAt, dueAt, local: source.format(nominalAt), notes });
    slot = source.firstFrom(nominalAt + distance);
  }
  return slots;
}
