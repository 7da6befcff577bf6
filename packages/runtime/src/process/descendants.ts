import { createDeferred } from '@pawl/core';
import type { ProcessEntry, ProcessTable } from './process-table.ts';

/** A process that came of one of ours, as reports name it. */
export interface DescendantProcess {
  readonly pid: number;
  readonly command: string;
}

/** Whose descendants to look for. */
export interface Ancestor {
  readonly pid: number;
  /** When it was started, in the words of the process table; undefined when that is not known. */
  readonly startedAt: string | undefined;
  /** What it and all that inherits its environment carry. */
  readonly mark: string;
  /** How long ago it was started, in milliseconds. */
  readonly ageMs: number;
  /** Descendants that were seen before and may have cut every tie since. */
  readonly known: readonly ProcessEntry[];
}

/** Finds what a process started, also what left its group and session or lost its parent. */
export interface DescendantFinder {
  /**
   * Those alive now, whether their ancestor is or not. Questions of one turn of the event loop share one look at the
   * process table.
   */
  find(ancestor: Ancestor): Promise<readonly ProcessEntry[]>;
  /**
   * Those that hang on a living ancestor by their parents, without a look into environments. Empty where it can't be
   * told at once. Calls of one turn share one look.
   */
  below(ancestor: Pick<Ancestor, 'pid' | 'startedAt'>): readonly ProcessEntry[];
}

/** No system gives all its pids within this time, so that those given since a process of this age lie above its own. */
const NO_WRAP_MS = 1_000;
/** More pids than this are not looked at one by one. */
const MOST_PIDS = 200;

export function createDescendantFinder(table: ProcessTable | undefined): DescendantFinder {
  let waiting: { readonly ancestor: Ancestor; readonly resolve: (found: readonly ProcessEntry[]) => void }[] =
    [];
  let shared: readonly ProcessEntry[] | undefined;

  async function answerAll(): Promise<void> {
    const asked = waiting;
    waiting = [];
    let entries: readonly ProcessEntry[] = [];
    try {
      entries = (await table?.list(youngPids(asked.map(({ ancestor }) => ancestor)))) ?? [];
    } catch {
      // `ps` is missing or hangs: the group was signalled, which is all that can be had then.
    }
    for (const { ancestor, resolve } of asked) resolve(descendantsIn(entries, ancestor));
  }

  /** The few pids given since the oldest of them was started, or undefined for all that there are. */
  function youngPids(ancestors: readonly Ancestor[]): readonly number[] | undefined {
    if (ancestors.some(({ ageMs }) => ageMs > NO_WRAP_MS)) return undefined;
    const first = Math.min(...ancestors.map(({ pid }) => pid)) + 1;
    const last = table?.lastPid() ?? Infinity;
    // Below the first: the count has begun anew in between.
    if (last < first - 1 || last - first > MOST_PIDS) return undefined;
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  }

  return {
    find(ancestor) {
      if (table === undefined) return Promise.resolve([]);
      const answer = createDeferred<readonly ProcessEntry[]>();
      if (waiting.length === 0) setImmediate(() => void answerAll());
      waiting.push({ ancestor, resolve: answer.resolve });
      return answer.promise;
    },
    below({ pid, startedAt }) {
      if (startedAt === undefined || table?.startOf(pid) !== startedAt) return [];
      if (shared === undefined) {
        const entries = table.list();
        shared = entries instanceof Promise ? [] : entries;
        setImmediate(() => {
          shared = undefined;
        });
      }
      return closure(shared, new Set([pid])).filter((entry) => entry.pid !== pid);
    },
  };
}

function descendantsIn(entries: readonly ProcessEntry[], ancestor: Ancestor): readonly ProcessEntry[] {
  const { pid, startedAt, mark, known } = ancestor;
  const born = Number(startedAt ?? 0);
  const ours = new Set<number>();
  for (const entry of entries) {
    if (entry.pid === pid || entry.pid === process.pid) continue;
    // Environments are the dear part, and most processes of a machine are older than the one asked about.
    if (
      entry.sessionId === pid ||
      entry.groupId === pid ||
      known.some((other) => isSame(other, entry)) ||
      (!(Number(entry.startedAt) < born) && entry.hasMark(mark))
    ) {
      ours.add(entry.pid);
    }
  }
  return closure(entries, ours);
}

/** Those with the pids, and their children, and theirs. */
function closure(entries: readonly ProcessEntry[], pids: Set<number>): readonly ProcessEntry[] {
  for (let size = -1; size !== pids.size;) {
    size = pids.size;
    for (const entry of entries) if (pids.has(entry.parentPid)) pids.add(entry.pid);
  }
  return entries.filter((entry) => pids.has(entry.pid));
}

export function isSame(a: ProcessEntry, b: ProcessEntry): boolean {
  return a.pid === b.pid && a.startedAt === b.startedAt;
}
