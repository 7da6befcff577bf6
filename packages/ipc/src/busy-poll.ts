import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers';
import { checkBoolean } from '@pawl/core';

/** Turns of the event loop in one wait: some 40 µs, in which a peer that is awake answers. */
const TURNS = 64;
/** Who gets more frames or bytes at a time is not waiting for a round trip: then a processor has better things to do. */
const MOST_FRAMES = 12;
const MOST_BYTES = 4_096;
/** Arrivals at most that pass without a wait, once waiting has not paid off. */
const MOST_PASSED = 256;

/**
 * Keeps the event loop awake for a moment after something has arrived, because more may follow at once: to put a
 * processor to sleep and wake it up again takes longer than the far side needs for a small answer.
 */
export interface BusyPoll {
  /** So many frames have arrived, in so many bytes. */
  arrived(frames: number, bytes: number): void;
  stop(): void;
}

/**
 * Polls as long as that pays off: each wait in which nothing came doubles the number of arrivals that pass until the
 * next, and each in which something came halves it. A peer that takes milliseconds costs one wait in 256 arrivals.
 * @param enabled @default where there is a second processor for the far side
 * @param nextTurn calls a function in the next turn of the event loop
 */
export function createBusyPoll(
  enabled: boolean = availableParallelism() > 1,
  nextTurn: (poll: () => void) => unknown = setImmediate,
): BusyPoll {
  let isOn = checkBoolean('busyPoll', enabled);
  let turnsLeft = 0;
  let passes = 0;
  let toPass = 0;
  let isAwake = false;

  function stayAwake(): void {
    isAwake = true;
    nextTurn(poll);
  }

  function poll(): void {
    isAwake = false;
    turnsLeft -= 1;
    if (turnsLeft > 0) stayAwake();
    else if (turnsLeft === 0) {
      passes = Math.min(MOST_PASSED, Math.max(1, passes * 2));
      toPass = passes;
    }
  }

  return {
    arrived(frames, bytes) {
      if (!isOn) return;
      if (frames > MOST_FRAMES || bytes > MOST_BYTES) turnsLeft = 0;
      else if (turnsLeft > 0) {
        turnsLeft = TURNS;
        passes >>= 1;
      } else if (toPass > 0) toPass -= 1;
      else {
        turnsLeft = TURNS;
        if (!isAwake) stayAwake();
      }
    },
    stop() {
      isOn = false;
      turnsLeft = 0;
    },
  };
}
