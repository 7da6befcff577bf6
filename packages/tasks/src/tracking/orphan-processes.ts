import { readdirSync, readFileSync } from 'node:fs';
import { type Clock, sleep } from '@pawl/core';
import { isRunning, processStartTime } from './process-identity.ts';
import type { ProcessIdentity } from './run.ts';

/** Every process of an attempt inherits this variable: `<host id>:<run id>:<fence>`. */
export const ATTEMPT_VARIABLE = 'PAWL_ATTEMPT';

export function attemptMark(hostId: string, runId: string, fence: number): string {
  return `${hostId}:${runId}:${fence}`;
}

/** An attempt whose host is gone. */
export interface OrphanedAttempt {
  /** What its processes carry in their environment. */
  readonly mark: string;
  /** The process it had noted down. */
  readonly process: ProcessIdentity | undefined;
}

export interface EndOrphansOptions {
  /** Between SIGTERM and SIGKILL, in milliseconds. */
  readonly graceMs: number;
  readonly clock: Clock;
}

/** How often it is looked whether they are gone: nobody is told of the end of a process that is not its child. */
const POLL_MS = 20;
/** How long a killed process may take to go away. One that hangs in the kernel must not hold up all the others. */
const KILL_WAIT_MS = 2_000;

/**
 * Ends what attempts left running when their host died: SIGTERM, `graceMs`, SIGKILL, all at the same time. On Linux
 * every process that carries the mark of such an attempt in its environment is found, also one that left the group;
 * elsewhere the group of the noted process. A later process with the same number is told apart by its start time.
 * @returns for each attempt the pids that were ended, in the same order
 */
export async function endOrphans(
  attempts: readonly OrphanedAttempt[],
  { graceMs, clock }: EndOrphansOptions,
): Promise<readonly (readonly number[])[]> {
  const ended = attempts.map(() => new Set<number>());
  const killAt = clock.now() + graceMs;
  for (;;) {
    const orphans = findOrphans(attempts);
    const isForced = clock.now() >= killAt;
    if (orphans.length === 0 || clock.now() >= killAt + KILL_WAIT_MS) return ended.map((pids) => [...pids]);
    for (const orphan of orphans) {
      const pids = ended[orphan.attempt];
      // What was started meanwhile is asked too; SIGKILL is sent until nobody is left.
      if (isForced || pids?.has(orphan.pid) !== true) send(orphan, isForced ? 'SIGKILL' : 'SIGTERM');
      pids?.add(orphan.pid);
    }
    await sleep(clock, POLL_MS);
  }
}

interface Orphan {
  readonly pid: number;
  readonly leadsGroup: boolean;
  /** Whose it is: an index. */
  readonly attempt: number;
}

function findOrphans(attempts: readonly OrphanedAttempt[]): readonly Orphan[] {
  const noted = attempts.flatMap(({ process: identity }, attempt) =>
    identity !== undefined && isRunning(identity) ? [{ pid: identity.pid, leadsGroup: true, attempt }] : [],
  );
  return [...noted, ...findMarked(new Map(attempts.map(({ mark }, attempt) => [mark, attempt])))];
}

function findMarked(marks: ReadonlyMap<string, number>): readonly Orphan[] {
  if (process.platform !== 'linux' || marks.size === 0) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const mark = markOf(name);
      const attempt = mark === undefined ? undefined : marks.get(mark);
      const pid = Number(name);
      if (attempt === undefined || pid === process.pid) return [];
      return isRunning({ pid, startTime: processStartTime(pid) })
        ? [{ pid, leadsGroup: false, attempt }]
        : [];
    });
}

/** The mark in a process's environment; undefined also when it is gone or another user's. */
function markOf(pid: string): string | undefined {
  try {
    const entry = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .find((each) => each.startsWith(`${ATTEMPT_VARIABLE}=`));
    return entry?.slice(ATTEMPT_VARIABLE.length + 1);
  } catch {
    return undefined;
  }
}

function send({ pid, leadsGroup }: Orphan, signal: NodeJS.Signals): void {
  try {
    process.kill(leadsGroup ? -pid : pid, signal);
  } catch {
    // It ended meanwhile.
  }
}
