import type { Clock, Timer } from '@pawl/core';

/** What the wall clock may drift from the monotonic one between two looks before it counts as a step. */
const STEP_MS = 1_000;

export interface WallAlarmOptions {
  readonly clock: Clock;
  /** The longest time between two looks at the wall clock. */
  readonly recheckMs: number;
  /** Called when the time has come, and at every look in between; `steppedMs` is not 0 when the wall clock was set. */
  readonly onWake: (steppedMs: number) => void;
}

/**
 * A timer for an instant of the wall clock. It looks again every so often, because that clock may be set, and because
 * a timer that was started before the machine slept rings late.
 */
export interface WallAlarm {
  /** Waits for an instant, in place of the one before; `Infinity` for none, and then it holds no timer. */
  set(at: number): void;
  /** Waits for an instant, unless it waits for an earlier one. */
  setSooner(at: number): void;
}

export function createWallAlarm({ clock, recheckMs, onWake }: WallAlarmOptions): WallAlarm {
  let timer: Timer | undefined;
  let setFor = Infinity;

  function set(at: number): void {
    timer?.cancel();
    timer = undefined;
    setFor = at;
    if (at === Infinity) return;
    const wall = clock.wallTime();
    const monotonic = clock.now();
    timer = clock.setTimer(Math.min(Math.max(0, at - wall), recheckMs), () => {
      setFor = Infinity;
      const steppedMs = clock.wallTime() - wall - (clock.now() - monotonic);
      onWake(Math.abs(steppedMs) < STEP_MS ? 0 : Math.round(steppedMs));
    });
  }

  return {
    set,
    setSooner(at) {
      if (at < setFor) set(at);
    },
  };
}
