import { systemClock } from '@pawl/core';

const CHECK_MS = 1_000;

/**
 * Calls `onGone` when the process that started this one has ended. The end of stdin tells the same sooner; this is for
 * when something else holds that pipe open. Does not keep the process running.
 */
export function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  const check = (): void => {
    if (process.ppid === parent) systemClock.setTimer(CHECK_MS, check, { keepAlive: false });
    else onGone();
  };
  systemClock.setTimer(CHECK_MS, check, { keepAlive: false });
}
