import process from 'node:process';
import type { Timer } from '@pawl/core';
import { workerClock } from './worker-clock.ts';

const CHECK_MS = 1_000;

/**
 * Calls `onGone` when the process that started this one has ended. The end of stdin tells the same sooner; this is for
 * when something else holds that pipe open, or nobody reads it yet. Does not keep the process running.
 * @returns a function that ends the watch
 */
export function watchParent(onGone: () => void): () => void {
  const parent = process.ppid;
  let timer: Timer;
  const watch = (): void => {
    timer = workerClock.setTimer(CHECK_MS, check, { keepAlive: false });
  };
  const check = (): void => (process.ppid === parent ? watch() : onGone());
  watch();
  return () => timer.cancel();
}
