import type { Clock } from '@pawl/core';

/**
 * Says how long a program may wait for its turn, and when one that may not should come again.
 *
 * Programs of learners come in bursts, when a class presses the same button, and a burst should be served whole. A long
 * line that does not get shorter is of no use to anybody: it makes all wait, and serves none more. So, as in CoDel
 * (Nichols and Jacobson, ACM Queue 10(5), 2012) as servers have it (Maurer, "Fail at Scale", ACM Queue 13(8), 2015):
 *
 * ```text
 * calm ── somebody waited in vain, or the line was long for a second ──▶ overloaded
 * overloaded ── nobody was refused for twice as long as the last one was sent away for ──▶ calm
 * ```
 *
 * In calm times a program waits patiently. Under overload it begins nearly at once or is refused: it waits at most half as
 * long as short programs take. With no more than two programs for each CPU, each has at least half of one, so that it
 * takes at most twice as long as alone; what is not refused is answered within three times that: 2 × + ½ × 2 ×.
 */
export interface DelayControl {
  /** A program has come. */
  enter(): Turn;
}

/** One program, from when it came. */
export interface Turn {
  /** How long it may wait until it begins, in milliseconds. */
  readonly maxWaitMs: number;
  begin(): void;
  /** It began, and has ended by itself. */
  end(): void;
  /** It did not begin. Harmless if it did. */
  leave(): void;
  /** It did not begin in time. Returns when its client should come again, in milliseconds. */
  refuse(): number;
}

export interface DelayControlOptions {
  readonly clock: Clock;
  /** How many programs run at a time. */
  readonly places: () => number;
}

/** The longest that a program may ask to run for: by then there is a place for who is at the head of a short line. */
const PATIENCE_MS = 10_000;
/** What takes longer than this is no burst. */
const BURST_MS = 1_000;
/** In a short line. */
const WAITING_PER_PLACE = 2;
/** Enough that a few odd ones don't count. */
const TIMES_KEPT = 32;
const DECISIONS_KEPT = 64;
const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export function createDelayControl({ clock, places }: DelayControlOptions): DelayControl {
  const times: number[] = [];
  /** Of the latest programs, whether each was refused. */
  const decisions: boolean[] = [];
  let waiting = 0;
  let longSince = Infinity;
  let refusedAt = -Infinity;
  let overloaded = false;

  const isLong = (): boolean => waiting >= WAITING_PER_PLACE * places();

  function maxWaitMs(): number {
    const now = clock.now();
    if (isLong()) longSince = Math.min(longSince, now);
    if (now - longSince >= BURST_MS) overloaded = true;
    // Before that it is only calm because they were sent away.
    else if (now - refusedAt >= 2 * retryAfterMs()) overloaded = false;
    if (overloaded) return Math.min(BURST_MS, shortTimeMs() / 2);
    return isLong() ? BURST_MS : PATIENCE_MS;
  }

  /** The lower quartile, so that it is little for the short ones, too, and those that compute are not counted. */
  function shortTimeMs(): number {
    return times.toSorted((a, b) => a - b)[times.length >> 2] ?? Infinity;
  }

  function leave(): void {
    waiting -= 1;
    if (!isLong()) longSince = Infinity;
  }

  /** The more are refused for each that begins, the more tries it takes, and the rarer they should be. */
  function retryAfterMs(): number {
    const refused = decisions.filter(Boolean).length;
    const tries = refused / Math.max(1, decisions.length - refused);
    return Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, tries * 1_000));
  }

  return {
    enter() {
      let isWaiting = true;
      let beganAt = 0;
      const turn: Turn = {
        maxWaitMs: maxWaitMs(),
        begin() {
          turn.leave();
          beganAt = clock.now();
          keep(decisions, false, DECISIONS_KEPT);
        },
        end: () => keep(times, clock.now() - beganAt, TIMES_KEPT),
        leave() {
          if (isWaiting) leave();
          isWaiting = false;
        },
        refuse() {
          turn.leave();
          overloaded = true;
          refusedAt = clock.now();
          keep(decisions, true, DECISIONS_KEPT);
          return retryAfterMs();
        },
      };
      waiting += 1;
      return turn;
    },
  };
}

function keep<T>(values: T[], value: T, most: number): void {
  values.push(value);
  if (values.length > most) values.shift();
}
