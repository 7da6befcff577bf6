/** How long the runs of each task take, as far as is known. */
export interface ServiceTimes {
  /** What the next run of it is expected to take, in milliseconds; NaN while nothing is known. */
  expectedMs(task: string): number;
  /** The same, for who acts on it: undefined while too few runs in a row were alike. */
  usualMs(task: string): number | undefined;
  observe(task: string, ms: number): void;
}

interface TaskTime {
  totalMs: number;
  weight: number;
  /** Slow runs of late: each fast one that follows makes them count for less. */
  slow: number;
}

/** Weight that an observation keeps with each that follows: half of it after 177 of them. */
const KEPT = 1 - 1 / 256;
/** From here on a run is slow, in milliseconds. */
const SLOW_MS = 1;
/** With so many fast runs known, a slow one may be the doing of a machine that had no CPU for it. */
const KNOWN_RUNS = 16;
/** So many slow runs, with no more than a few dozen fast ones in between, are no accident. */
const BELIEVED = 2.5;
const SLOW_KEPT = 1 - 1 / 32;
/** Task names may be made up by users of users. */
const MOST_TASKS = 1_000;
/** Fewer runs than this say nothing of what is usual. */
const FEWEST_RUNS = 5;

/**
 * Means that forget. The answers of tiny runs come in batches whose first carries the time of all, so a short memory
 * would swing with each batch. Of a task that is hardly known a slow run is believed at once, for to send others behind it
 * costs more than not to. Of one that was fast so far the third in a short time is, for on a busy machine every process
 * stands still for some milliseconds now and then; until then each counts for a moment.
 */
export function createServiceTimes(): ServiceTimes {
  const times = new Map<string, TaskTime>();
  // Most runs are of the task of the one before.
  let lastTask: string | undefined;
  let lastTime: TaskTime | undefined;

  function timeOf(task: string): TaskTime | undefined {
    if (task !== lastTask || lastTime === undefined) {
      lastTask = task;
      lastTime = times.get(task);
    }
    return lastTime;
  }

  return {
    expectedMs(task) {
      const time = timeOf(task);
      return time === undefined ? Number.NaN : time.totalMs / time.weight;
    },
    usualMs(task) {
      const time = timeOf(task);
      return time === undefined || time.weight < FEWEST_RUNS - 0.1 ? undefined : time.totalMs / time.weight;
    },
    observe(task, ms) {
      const time = timeOf(task);
      if (time === undefined) {
        if (times.size >= MOST_TASKS) times.clear();
        lastTime = { totalMs: ms, weight: 1, slow: 0 };
        times.set(task, lastTime);
      } else if (ms >= SLOW_MS && ms * time.weight > time.totalMs) noteSlow(time, ms);
      else {
        time.totalMs = time.totalMs * KEPT + ms;
        time.weight = time.weight * KEPT + 1;
        time.slow *= SLOW_KEPT;
      }
    },
  };
}

function noteSlow(time: TaskTime, ms: number): void {
  time.slow += 1;
  if (time.weight < KNOWN_RUNS || time.slow > BELIEVED) {
    time.totalMs = ms;
    time.weight = 1;
    time.slow = 0;
  } else time.totalMs += SLOW_MS;
}
