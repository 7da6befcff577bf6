import { type Clock, sleep } from '@pawl/core';
import { type DescendantFinder, type DescendantProcess, isSame } from './descendants.ts';
import { type ProcessEntry, signalEntry } from './process-table.ts';

export interface DescendantReaperOptions {
  readonly pid: number;
  readonly mark: string;
  readonly finder: DescendantFinder;
  /** When the process was started, in the words of the process table. */
  readonly tableStart: string | undefined;
  /** The same on the clock. */
  readonly startedAt: number;
  readonly clock: Clock;
}

/** Ends what one process started. The members of its group get its signals, so this is about those that left it. */
export interface DescendantReaper {
  /** Notes who hangs on the process now, while it lives, and can't be found once it does not. */
  remember(): void;
  /** Signals those noted that are not in the group. */
  signal(signal: NodeJS.Signals): void;
  /** Who is there now. */
  look(): Promise<readonly DescendantProcess[]>;
  /** Kills until nobody is there. @returns who still is after a second */
  end(): Promise<readonly DescendantProcess[]>;
}

/** What was killed is gone within a few milliseconds, unless it waits inside the kernel. */
const END_WITHIN_MS = 1_000;
const FIRST_WAIT_MS = 2;
const LONGEST_WAIT_MS = 100;

export function createDescendantReaper(options: DescendantReaperOptions): DescendantReaper {
  const { pid, mark, finder, tableStart, clock } = options;
  let known: readonly ProcessEntry[] = [];

  const find = (): Promise<readonly ProcessEntry[]> =>
    finder.find({ pid, mark, startedAt: tableStart, ageMs: clock.now() - options.startedAt, known });

  return {
    remember() {
      const below = finder.below({ pid, startedAt: tableStart });
      known = [...known.filter((entry) => !below.some((other) => isSame(entry, other))), ...below];
    },
    signal(signal) {
      for (const entry of known) if (entry.groupId !== pid) signalEntry(entry, signal);
    },
    look: async () => named(await find()),
    async end() {
      const deadline = clock.now() + END_WITHIN_MS;
      for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
        // Again after each round: what was found may have started more before it died.
        const found = await find();
        if (found.length === 0 || clock.now() >= deadline) return named(found);
        for (const entry of found) signalEntry(entry, 'SIGKILL');
        known = found;
        await sleep(clock, waitMs);
      }
    },
  };
}

function named(entries: readonly ProcessEntry[]): readonly DescendantProcess[] {
  return entries.map((entry) => ({ pid: entry.pid, command: entry.command() }));
}
