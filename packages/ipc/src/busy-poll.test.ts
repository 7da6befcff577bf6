import { describe, expect, it } from 'vitest';
import { type BusyPoll, createBusyPoll } from './busy-poll.ts';

/** A poll on an event loop that is turned by hand. */
function setup(enabled = true): { readonly poll: BusyPoll; readonly turn: (most?: number) => number } {
  let next: (() => void) | undefined;
  const poll = createBusyPoll(enabled, (turn) => {
    expect(next).toBeUndefined();
    next = turn;
  });
  return {
    poll,
    /** Turns the loop while it is kept awake. */
    turn(most = Infinity) {
      let turns = 0;
      for (; next !== undefined && turns < most; turns += 1) {
        const now = next;
        next = undefined;
        now();
      }
      return turns;
    },
  };
}

describe('createBusyPoll', () => {
  it('stays awake for 64 turns after an arrival, and for as many after each that comes meanwhile', () => {
    const { poll, turn } = setup();
    expect(turn()).toBe(0);
    poll.arrived(1, 100);
    expect(turn(60)).toBe(60);
    poll.arrived(1, 100);
    poll.arrived(1, 100);
    expect(turn()).toBe(64);
    expect(turn()).toBe(0);
  });

  it('lets twice as many arrivals pass after each wait for nothing, up to 256', () => {
    const { poll, turn } = setup();
    const passedBefore: number[] = [];
    for (let waits = 0, passed = 0; waits < 11; passed += 1) {
      poll.arrived(1, 100);
      if (turn() === 0) continue;
      waits += 1;
      passedBefore.push(passed);
      passed = -1;
    }
    expect(passedBefore).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 256]);
  });

  it('takes to it again once it pays off', () => {
    const { poll, turn } = setup();
    const arriveUntilAwake = (): number => {
      for (let passed = 0; ; passed += 1) {
        poll.arrived(1, 100);
        if (turn(1) === 1) return passed;
      }
    };
    for (let waits = 0; waits < 6; waits += 1) {
      arriveUntilAwake();
      turn();
    }
    expect(arriveUntilAwake()).toBe(32);
    for (let hits = 0; hits < 4; hits += 1) {
      poll.arrived(1, 100);
      turn(1);
    }
    turn();
    expect(arriveUntilAwake()).toBe(4);
  });

  it('lets the loop sleep when much arrives at a time, and holds that against nobody', () => {
    const { poll, turn } = setup();
    poll.arrived(13, 1_000);
    poll.arrived(1, 5_000);
    expect(turn()).toBe(0);
    poll.arrived(12, 4_096);
    expect(turn(10)).toBe(10);
    poll.arrived(13, 1_000);
    expect(turn()).toBe(1);
    poll.arrived(1, 100);
    expect(turn()).toBe(64);
  });

  it('turns the loop once at a time, however much and little take turns', () => {
    const { poll, turn } = setup();
    for (let i = 0; i < 10; i += 1) {
      poll.arrived(1, 100);
      poll.arrived(13, 1_000);
    }
    poll.arrived(1, 100);
    expect(turn()).toBe(64);
  });

  it('does nothing once it is stopped, or when it is not wanted', () => {
    const { poll, turn } = setup();
    poll.arrived(1, 100);
    poll.stop();
    expect(turn()).toBe(1);
    poll.arrived(1, 100);
    expect(turn()).toBe(0);
    const off = setup(false);
    off.poll.arrived(1, 100);
    expect(off.turn()).toBe(0);
  });
});
