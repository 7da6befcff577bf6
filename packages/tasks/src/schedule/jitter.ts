import { seededRandom } from '@pawl/core';
import type { ResolvedSchedule } from './schedule.ts';

/**
 * How long after its nominal instant a slot comes due, from 0 to `jitterMs`. Always the same for the same slot, so
 * that a preview tells it and two hosts agree on it.
 */
export function slotDelay(schedule: ResolvedSchedule, nominalAt: number): number {
  const { id, jitterMs, jitterMode } = schedule;
  if (jitterMs === 0) return 0;
  const seed = jitterMode === 'per-schedule' ? hash(id) : hash(`${id}\0${nominalAt}`);
  return Math.floor(seededRandom(seed)() * (jitterMs + 1));
}

/** FNV-1a, 32 bits, over UTF-16 units (Fowler, Noll and Vo; http://www.isthe.com/chongo/tech/comp/fnv). */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x0100_0193);
  }
  return value >>> 0;
}
