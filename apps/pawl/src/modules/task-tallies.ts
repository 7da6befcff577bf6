import { isFinal, type Run, type RunQuery, type RunTracker } from '@pawl/tasks';

/** What became of the runs of a task: of those kept when somebody first asked, and of all since. */
export interface TaskTally {
  readonly runs: number;
  /** Of those that have ended, from 0 to 1; null while none has. */
  readonly successRate: number | null;
  readonly lastRun: Run | undefined;
}

/** Counts the runs of tasks, without asking the store for all of them each time. */
export interface TaskTallies {
  of(task: string): Promise<TaskTally>;
}

interface Counts {
  runs: number;
  ended: number;
  succeeded: number;
  lastRun: Run | undefined;
  /** Resolves when what was stored before is counted. */
  readonly ready: Promise<void>;
}

const PAGE = 1_000;

export function createTaskTallies(tracker: Pick<RunTracker, 'list' | 'on'>): TaskTallies {
  const tallies = new Map<string, Counts>();
  /** Those that events told of while older ones were being counted. */
  const seen = new Map<string, Set<string>>();

  const note = (run: Run, phase: 'submitted' | 'ended'): void => {
    const counts = tallies.get(run.task);
    if (counts === undefined) return;
    seen.get(run.task)?.add(`${phase} ${run.id}`);
    add(counts, run, phase);
  };
  tracker.on('run:submitted', ({ run }) => note(run, 'submitted'));
  tracker.on('run:ended', ({ run }) => note(run, 'ended'));

  async function countStored(task: string): Promise<void> {
    const told = new Set<string>();
    seen.set(task, told);
    let query: RunQuery = { task, limit: PAGE };
    for (;;) {
      const { runs, nextCursor } = await tracker.list(query);
      const counts = tallies.get(task);
      if (counts === undefined) return;
      for (const run of runs) {
        if (!told.has(`submitted ${run.id}`)) add(counts, run, 'submitted');
        if (isFinal(run.state) && !told.has(`ended ${run.id}`)) add(counts, run, 'ended');
      }
      if (nextCursor === undefined) break;
      query = { task, limit: PAGE, cursor: nextCursor };
    }
    seen.delete(task);
  }

  return {
    async of(task) {
      let counts = tallies.get(task);
      if (counts === undefined) {
        // Counted from the next turn on, when the entry is there.
        const ready = Promise.resolve().then(() => countStored(task));
        counts = { runs: 0, ended: 0, succeeded: 0, lastRun: undefined, ready };
        tallies.set(task, counts);
        ready.catch(() => tallies.delete(task));
      }
      await counts.ready;
      const { runs, ended, succeeded, lastRun } = counts;
      return { runs, successRate: ended === 0 ? null : succeeded / ended, lastRun };
    },
  };
}

function add(counts: Counts, run: Run, phase: 'submitted' | 'ended'): void {
  if (phase === 'submitted') counts.runs += 1;
  else {
    counts.ended += 1;
    if (run.state === 'succeeded') counts.succeeded += 1;
  }
  const { lastRun } = counts;
  if (lastRun === undefined || run.id === lastRun.id || run.createdAt >= lastRun.createdAt) {
    counts.lastRun = run;
  }
}
