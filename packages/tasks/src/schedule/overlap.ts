/**
 * What becomes of a slot that is due while a run of its schedule goes on:
 * - `skip` leaves it out;
 * - `queue-one` lets the first one wait and leaves out the rest;
 * - `queue-all` lets all of them wait, up to `maxQueued`;
 * - `cancel-running` aborts the run and starts when it has ended; a slot that waits for that gives way to a later one;
 * - `allow` starts it beside the others.
 */
export type OverlapPolicy = (typeof overlapPolicies)[number];

export const overlapPolicies = ['skip', 'queue-one', 'queue-all', 'cancel-running', 'allow'] as const;

/** Why a slot got no run because of another one. */
export type OverlapReason = 'still-running' | 'one-waits-already' | 'queue-full' | 'superseded';

export interface OverlapRules {
  readonly overlap: OverlapPolicy;
  readonly maxQueued: number;
}

export interface OverlapGateHooks<Run> {
  /** Starts a run, which tells its end to {@link OverlapGate.ended}. */
  start(run: Run): void;
  /** Asks a running one to end. */
  cancel(run: Run): void;
  /** Told of a waiting run that gave way to a later one. */
  onDropped(run: Run, reason: OverlapReason): void;
}

/** Keeps the runs of one schedule apart. */
export interface OverlapGate<Run> {
  /** @returns what became of it, with the reason when it is skipped */
  offer(run: Run, rules: OverlapRules): 'started' | 'waiting' | OverlapReason;
  /** A run that was started is over. */
  ended(run: Run): void;
  /** Takes out all that wait. */
  clear(): readonly Run[];
  readonly running: ReadonlySet<Run>;
  readonly waiting: number;
}

export function createOverlapGate<Run>(hooks: OverlapGateHooks<Run>): OverlapGate<Run> {
  const running = new Set<Run>();
  const waiting: Run[] = [];

  const start = (run: Run): void => {
    running.add(run);
    hooks.start(run);
  };
  const wait = (run: Run): 'waiting' => {
    waiting.push(run);
    return 'waiting';
  };
  const supersede = (run: Run): 'waiting' => {
    const given = waiting.splice(0);
    for (const earlier of given) hooks.onDropped(earlier, 'superseded');
    waiting.push(run);
    for (const current of running) hooks.cancel(current);
    return 'waiting';
  };

  return {
    offer(run, { overlap, maxQueued }) {
      if (overlap === 'allow' || (running.size === 0 && waiting.length === 0)) {
        start(run);
        return 'started';
      }
      if (overlap === 'skip') return 'still-running';
      if (overlap === 'cancel-running') return supersede(run);
      if (overlap === 'queue-one') return waiting.length === 0 ? wait(run) : 'one-waits-already';
      return waiting.length < maxQueued ? wait(run) : 'queue-full';
    },
    ended(run) {
      running.delete(run);
      if (running.size > 0) return;
      const next = waiting.shift();
      if (next !== undefined) start(next);
    },
    clear: () => waiting.splice(0),
    running,
    get waiting() {
      return waiting.length;
    },
  };
}
