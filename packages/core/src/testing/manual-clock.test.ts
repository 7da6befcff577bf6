import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sleep } from '../clock.ts';
import { createManualClock } from './manual-clock.ts';

describe('createManualClock', () => {
  it('stands still until it is moved', async () => {
    const clock = createManualClock({ now: 50, wallTime: 1_000 });
    expect([clock.now(), clock.wallTime()]).toEqual([50, 1_000]);
    await clock.advance(25);
    expect([clock.now(), clock.wallTime()]).toEqual([75, 1_025]);
  });

  it('begins in 2026 unless told otherwise', () => {
    expect(new Date(createManualClock().wallTime()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
  });

  it('fires in order of due time, then of setting, each at its own time', async () => {
    const clock = createManualClock();
    const fired: string[] = [];
    for (const [name, delayMs] of [
      ['late', 30],
      ['first', 10],
      ['second', 10],
      ['early', 5],
    ] as const) {
      clock.setTimer(delayMs, () => fired.push(`${name} ${clock.now()}`));
    }
    await clock.advance(100);
    expect(fired).toEqual(['early 5', 'first 10', 'second 10', 'late 30']);
    expect(clock.now()).toBe(100);
  });

  it('fires a timer that a continuation sets, in the same advance if it falls due', async () => {
    const clock = createManualClock();
    const woke: number[] = [];
    const chain = (async () => {
      for (let step = 0; step < 3; step += 1) {
        await sleep(clock, 10);
        woke.push(clock.now());
      }
    })();
    await clock.advance(25);
    expect(woke).toEqual([10, 20]);
    await clock.advance(5);
    expect(woke).toEqual([10, 20, 30]);
    await chain;
  });

  it('goes to the next due timer, and says when there is none', async () => {
    const clock = createManualClock();
    clock.setTimer(40, () => undefined);
    clock.setTimer(90, () => undefined);
    expect([clock.pendingTimers, clock.nextDue]).toEqual([2, 40]);
    expect(await clock.advanceToNext()).toBe(true);
    expect(clock.now()).toBe(40);
    expect(await clock.advanceToNext()).toBe(true);
    expect(clock.now()).toBe(90);
    expect(await clock.advanceToNext()).toBe(false);
    expect([clock.pendingTimers, clock.nextDue]).toEqual([0, undefined]);
  });

  it('steps the wall clock alone', () => {
    const clock = createManualClock({ wallTime: 1_000 });
    clock.stepWallTime(-600);
    expect([clock.now(), clock.wallTime()]).toEqual([0, 400]);
  });

  it('lets a long chain of promises settle without moving', async () => {
    const clock = createManualClock();
    let done = false;
    void (async () => {
      for (let link = 0; link < 1_000; link += 1) await Promise.resolve();
      done = true;
    })();
    await clock.settle();
    expect([done, clock.now()]).toEqual([true, 0]);
  });

  it('adds up advances that overlap, and never steps back', async () => {
    const clock = createManualClock();
    const seen: string[] = [];
    const note = (what: string) => (): void => void seen.push(`${what} at ${clock.now()}`);
    for (const delayMs of [50, 150, 250]) clock.setTimer(delayMs, note('timer'));
    await Promise.all([clock.advance(100).then(note('first')), clock.advance(100).then(note('second'))]);
    expect(seen).toEqual(['timer at 50', 'timer at 150', 'first at 150', 'second at 200']);
  });

  it('lets a timer cancel another that is due at the same time', async () => {
    const clock = createManualClock();
    const fired: string[] = [];
    clock.setTimer(10, () => {
      fired.push('first');
      second.cancel();
    });
    const second = clock.setTimer(10, () => fired.push('second'));
    await clock.advance(10);
    expect(fired).toEqual(['first']);
  });

  it('hands on what a timer throws', async () => {
    const clock = createManualClock();
    clock.setTimer(10, () => {
      throw new Error('bad timer');
    });
    await expect(clock.advance(50)).rejects.toThrow('bad timer');
    expect(clock.now()).toBe(10);
    await clock.advance(0);
    expect(clock.now()).toBe(10);
  });

  it.each([-1, Number.NaN, Infinity])('refuses to advance by %d ms', async (ms) => {
    await expect(createManualClock().advance(ms)).rejects.toThrow('Expected `ms` to be milliseconds ≥ 0');
  });

  it('fires every timer exactly once, in order, in however many steps time passes', async () => {
    const delays = fc.array(fc.nat(100), { maxLength: 15 });
    const steps = fc.array(fc.nat(30), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(delays, steps, async (delayList, stepList) => {
        const clock = createManualClock();
        const fired: (readonly [number, number])[] = [];
        delayList.forEach((delayMs, index) => {
          clock.setTimer(delayMs, () => {
            expect(clock.now()).toBe(delayMs);
            fired.push([delayMs, index]);
          });
        });
        for (const step of stepList) await clock.advance(step);
        const end = clock.now();
        const due = delayList
          .map((delayMs, index) => [delayMs, index] as const)
          .filter(([delayMs]) => delayMs <= end && stepList.length > 0)
          .toSorted(([a, i], [b, j]) => a - b || i - j);
        expect(fired).toEqual(due);
      }),
      { numRuns: 50 },
    );
  });
});
