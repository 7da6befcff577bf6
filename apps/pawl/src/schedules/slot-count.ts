import { setImmediate as nextTurn } from 'node:timers/promises';
import { preview, type Schedule } from '@pawl/tasks';

/** Slots looked at in one turn of the event loop. */
const CHUNK = 200;

/** How many slots a schedule has in a span, at most `limit`. Others get their turn meanwhile. @throws as `preview` */
export async function countSlots(
  schedule: Schedule,
  span: { readonly from: number; readonly to: number },
  limit: number,
): Promise<number> {
  // How many it may have in all does not count for the past.
  const { maxRuns: _all, ...unlimited } = schedule;
  let count = 0;
  let { from } = span;
  while (count < limit) {
    const slots = preview(unlimited, from, CHUNK);
    const inside = slots.filter(({ nominalAt }) => nominalAt < span.to);
    count += inside.length;
    const last = slots.at(-1);
    if (last === undefined || inside.length < CHUNK) break;
    from = last.nominalAt + 1;
    await nextTurn();
  }
  return Math.min(count, limit);
}
