import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { createDelayControl, type Turn } from './delay-control.ts';

const PLACES = 4;
const PATIENT_MS = 10_000;
const BURST_MS = 1_000;

function setup() {
  const clock = createManualClock();
  const delays = createDelayControl({ clock, places: () => PLACES });
  const enter = (count: number): readonly Turn[] => Array.from({ length: count }, () => delays.enter());
  /** Programs that begin at once and end by themselves. */
  const run = async (...timesMs: readonly number[]): Promise<void> => {
    for (const timeMs of timesMs) {
      const turn = delays.enter();
      turn.begin();
      await clock.advance(timeMs);
      turn.end();
    }
  };
  return { clock, delays, enter, run };
}

describe('in calm times', () => {
  it('lets two wait for each place as long as those before them may take, and a longer line for a second', () => {
    const { enter } = setup();
    const waits = enter(12).map(({ maxWaitMs }) => maxWaitMs);
    expect(waits).toEqual([...Array<number>(8).fill(PATIENT_MS), ...Array<number>(4).fill(BURST_MS)]);
  });

  it('stays calm after a burst that was served', async () => {
    const { clock, delays, enter } = setup();
    const burst = enter(30);
    await clock.advance(900);
    for (const turn of burst) turn.begin();
    await clock.advance(900);
    expect(delays.enter().maxWaitMs).toBe(PATIENT_MS);
  });

  it('waits patiently in a short line, however long that stands', async () => {
    const { clock, delays, enter } = setup();
    enter(5);
    await clock.advance(9_000);
    expect(delays.enter().maxWaitMs).toBe(PATIENT_MS);
  });

  it('does not count who left', () => {
    const { delays, enter } = setup();
    for (const turn of enter(30)) {
      turn.leave();
      turn.leave();
    }
    expect(delays.enter().maxWaitMs).toBe(PATIENT_MS);
    expect(enter(8).at(-1)?.maxWaitMs).toBe(BURST_MS);
  });
});

describe('under overload', () => {
  it('lets a program wait half as long as short ones take', async () => {
    const { delays, run } = setup();
    await run(10, 20, 400, 30, 40, 3_000, 10, 50);
    delays.enter().refuse();
    expect(delays.enter().maxWaitMs).toBe(10);
  });

  it('begins when a long line has stood for a second', async () => {
    const { clock, delays, enter, run } = setup();
    await run(8);
    enter(9);
    expect(delays.enter().maxWaitMs).toBe(BURST_MS);
    await clock.advance(BURST_MS);
    expect(delays.enter().maxWaitMs).toBe(4);
  });

  it('counts on a second while it does not know how long programs take', () => {
    const { delays } = setup();
    delays.enter().refuse();
    expect(delays.enter().maxWaitMs).toBe(BURST_MS);
  });

  it('goes on until those who were sent away could have come again', async () => {
    const { clock, delays, enter, run } = setup();
    await run(8);
    let retryMs = 0;
    for (const turn of enter(3)) retryMs = turn.refuse();
    expect(retryMs).toBe(3_000);
    await clock.advance(2 * retryMs - 1);
    expect(delays.enter().maxWaitMs).toBe(4);
    await clock.advance(1);
    expect(delays.enter().maxWaitMs).toBe(PATIENT_MS);
  });

  it('sends clients away for longer, the fewer of them it can serve', async () => {
    const { enter, run } = setup();
    await run(...Array<number>(16).fill(1));
    const refuse = (count: number): number | undefined =>
      enter(count)
        .map((turn) => turn.refuse())
        .at(-1);
    expect(refuse(1)).toBe(1_000);
    expect(refuse(47)).toBe(3_000);
    // Only the latest count.
    expect(refuse(64)).toBe(30_000);
  });
});
