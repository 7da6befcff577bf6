/** How many withdrawn runs the register can hold at a time. */
const MAX_WITHDRAWN = 1_024;

/** Layout of the Int32 part: a lock, a count, and the list of withdrawn ids. */
const LOCK = 0;
const WITHDRAWN = 1;
const LIST = 2;
const LIST_BYTES = 8 * Math.ceil(((LIST + MAX_WITHDRAWN) * Int32Array.BYTES_PER_ELEMENT) / 8);

/** Layout of the Float64 part. */
const LAST_BEGUN = 0;
const ACTIVE = 1;
const DONE = 2;
const FAILED = 3;
const TURNED_AT = 4;
const NUMBERS = 5;

// oxlint-disable-next-line no-restricted-globals -- no clock can tell: each thread counts from a start of its own
const ORIGIN = performance.timeOrigin;

/** What the main thread and the side thread of a worker know together. */
export interface RunRegister {
  /** To be handed to the other thread, which makes its own register of it. */
  readonly memory: SharedArrayBuffer;
  /**
   * Main thread: a run is about to begin, or to be answered without. Runs begin in the order of their ids; one that is
   * answered out of turn only makes those before it stay.
   * @returns false when it was withdrawn: then it must not
   */
  begin(id: number): boolean;
  /** Main thread: it is here and not stuck, at this time of its `systemClock`. */
  turn(now: number): void;
  /** Runs taken and not yet answered. Set by the main thread. */
  runsActive: number;
  /** Runs answered, whatever the answer. Set by the main thread. */
  runsDone: number;
  /** Those of them that were answered with an error. Set by the main thread. */
  runsFailed: number;
  /** When the main thread was last seen, on the scale of this thread's `systemClock`. */
  readonly turnedAt: number;
  /** Side thread: takes back those of these runs that have not begun. @returns them */
  withdraw(ids: readonly number[]): readonly number[];
}

/**
 * Memory that two threads share: counters for `ping`, and the one decision both make, whether a run begins on the main
 * thread or is given back by the side thread. A lock makes it one or the other, also while the main thread is busy.
 */
export function createRunRegister(
  memory: SharedArrayBuffer = new SharedArrayBuffer(LIST_BYTES + NUMBERS * Float64Array.BYTES_PER_ELEMENT),
): RunRegister {
  const words = new Int32Array(memory, 0, LIST + MAX_WITHDRAWN);
  // Numbers of eight bytes at aligned places do not tear on the machines that Node runs on.
  const numbers = new Float64Array(memory, LIST_BYTES, NUMBERS);
  const read = (at: number): number => numbers[at] ?? 0;

  function lock(): void {
    // Held for well under a microsecond, unless its holder was put to sleep: then a nap is better than a spin.
    while (Atomics.compareExchange(words, LOCK, 0, 1) !== 0) Atomics.wait(words, LOCK, 1, 1);
  }

  function unlock(): void {
    Atomics.store(words, LOCK, 0);
  }

  /** Where in the list of withdrawn runs it is; -1 when it is not. Under the lock. */
  function placeOf(id: number): number {
    // As the list has it: 32 bits tell runs apart that are open at the same time.
    return words.subarray(LIST, LIST + (words[WITHDRAWN] ?? 0)).indexOf(id | 0);
  }

  /** Under the lock. */
  function takeWithdrawn(id: number): boolean {
    const place = placeOf(id);
    if (place === -1) return false;
    const last = (words[WITHDRAWN] ?? 0) - 1;
    words[LIST + place] = words[LIST + last] ?? 0;
    words[WITHDRAWN] = last;
    return true;
  }

  return {
    memory,
    begin(id) {
      lock();
      numbers[LAST_BEGUN] = Math.max(id, read(LAST_BEGUN));
      const withdrawn = words[WITHDRAWN] !== 0 && takeWithdrawn(id);
      unlock();
      return !withdrawn;
    },
    withdraw(ids) {
      lock();
      const taken: number[] = [];
      for (const id of ids) {
        const count = words[WITHDRAWN] ?? 0;
        if (id <= read(LAST_BEGUN) || count === MAX_WITHDRAWN || placeOf(id) !== -1) continue;
        words[LIST + count] = id;
        words[WITHDRAWN] = count + 1;
        taken.push(id);
      }
      unlock();
      return taken;
    },
    turn(now) {
      numbers[TURNED_AT] = now + ORIGIN;
    },
    get turnedAt() {
      return read(TURNED_AT) - ORIGIN;
    },
    get runsActive() {
      return read(ACTIVE);
    },
    set runsActive(count) {
      numbers[ACTIVE] = count;
    },
    get runsDone() {
      return read(DONE);
    },
    set runsDone(count) {
      numbers[DONE] = count;
    },
    get runsFailed() {
      return read(FAILED);
    },
    set runsFailed(count) {
      numbers[FAILED] = count;
    },
  };
}
