import { checkInteger, checkKnownKeys, checkSignal } from '@pawl/core';
import type { SlotEnd } from './slot-runs.ts';
import type { Slot, SlotSource } from './slots.ts';

export interface BackfillOptions {
  /** The first instant whose slots are wanted, in milliseconds since the epoch. */
  readonly from: number;
  /** The first instant whose slots are not wanted; not in the future. */
  readonly to: number;
  /** Runs at a time. @default 1 */
  readonly maxConcurrent?: number;
  /** Takes no further slot and cancels the runs that go on. */
  readonly signal?: AbortSignal;
}

export interface BackfillReport {
  /** Slots in the span, up to where it was cancelled. */
  readonly slots: number;
  /** Slots that had their run before and got no second one. */
  readonly alreadyClaimed: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
}

export interface BackfillWork {
  readonly source: SlotSource;
  /** Resolves when another run may start, or none will any more. */
  whenRoom(signal: AbortSignal | undefined): Promise<void>;
  /** Whether to go on with another slot. */
  mayGoOn(): boolean;
  claim(slot: Slot): Promise<boolean>;
  /** Runs the slot until `signal` aborts. */
  run(slot: Slot, signal: AbortSignal | undefined): Promise<SlotEnd>;
}

export interface BackfillSpan {
  readonly from: number;
  readonly to: number;
  readonly maxConcurrent: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws TypeError, RangeError for a wrong span, or one that reaches into the future */
export function resolveBackfill(options: BackfillOptions, now: number): BackfillSpan {
  checkKnownKeys('backfill', options, ['from', 'to', 'maxConcurrent', 'signal']);
  const from = checkInteger('from', options.from);
  return {
    from,
    to: checkInteger('to', options.to, { min: from, max: now }),
    maxConcurrent: checkInteger('maxConcurrent', options.maxConcurrent ?? 1, { min: 1 }),
    signal: options.signal && checkSignal('signal', options.signal),
  };
}

/** Gives every slot of a span of the past its run, unless it had one. */
export async function runBackfill(span: BackfillSpan, work: BackfillWork): Promise<BackfillReport> {
  const report = { slots: 0, alreadyClaimed: 0, succeeded: 0, failed: 0, cancelled: 0 };
  let from = span.from;
  const take = (): Slot | undefined => {
    const slot = work.source.firstFrom(from);
    if (slot === undefined || slot.nominalAt >= span.to) return undefined;
    if (span.signal?.aborted === true || !work.mayGoOn()) return undefined;
    from = slot.nominalAt + 1;
    report.slots += 1;
    return slot;
  };
  const next = async (): Promise<Slot | undefined> => {
    await work.whenRoom(span.signal);
    return take();
  };
  const lane = async (): Promise<void> => {
    for (let slot = await next(); slot !== undefined; slot = await next()) {
      if (await work.claim(slot)) report[(await work.run(slot, span.signal)).status] += 1;
      else report.alreadyClaimed += 1;
    }
  };
  await Promise.all(Array.from({ length: span.maxConcurrent }, lane));
  return report;
}
