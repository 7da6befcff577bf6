import type { RunSummary } from '../../api/runs.ts';
import type { ScheduleView } from '../../api/schedules.ts';
import type { Connection } from '../../live/live.ts';

/** How things are, in one line, and why. */
export interface Verdict {
  readonly level: 'good' | 'warn' | 'bad';
  readonly text: string;
  readonly reasons: readonly Reason[];
}

interface Reason {
  readonly level: 'warn' | 'bad';
  readonly text: string;
  /** Where to look, below `/ui`. */
  readonly to: string;
}

export interface Circumstances {
  readonly connection: Connection;
  /** What the service says of itself. */
  readonly problems: readonly string[];
  /** Those that ended without success in the last hour. */
  readonly failures: readonly RunSummary[];
  /** Those that were submitted more than {@link LONG_WAIT_MS} ago and wait. */
  readonly stuck: readonly RunSummary[];
  /** Whether there are more of these than are listed. */
  readonly hasMore: { readonly failures: boolean; readonly stuck: boolean };
  readonly schedules: readonly ScheduleView[];
  readonly now: number;
}

/** Waiting this long for a place says that there are too few. */
export const LONG_WAIT_MS = 60_000;

/** The worst first. */
export function verdictOf(circumstances: Circumstances): Verdict {
  const { connection, problems, failures, hasMore, schedules, now } = circumstances;
  const reasons: Reason[] = [];
  const add = (level: Reason['level'], text: string, to: string): void => {
    reasons.push({ level, text, to });
  };
  if (connection === 'away') add('bad', 'The service does not answer.', '/');
  for (const problem of problems) add('bad', problem, '/system');
  const lost = failures.filter(({ state }) => state === 'lost').length;
  if (lost > 0)
    add(
      'bad',
      `${plural(lost, hasMore.failures, 'run was', 'runs were')} lost in the last hour.`,
      '/runs?state=lost&since=1h',
    );
  for (const { id, pause } of schedules) {
    if (pause?.cause === 'failures')
      add('bad', `The schedule ${id} is paused: ${pause.reason}`, `/schedules/${id}`);
  }
  const failed = failures.length - lost;
  if (failed > 0) {
    const text = `${plural(failed, hasMore.failures, 'run', 'runs')} failed in the last hour.`;
    add('warn', text, '/runs?state=failed,timed-out&since=1h');
  }
  const stuck = circumstances.stuck.filter((run) => waitedSince(run) < now - LONG_WAIT_MS).length;
  if (stuck > 0) {
    add(
      'warn',
      `${plural(stuck, hasMore.stuck, 'run waits', 'runs wait')} for more than a minute.`,
      '/runs?state=queued',
    );
  }
  const level = reasons.some((reason) => reason.level === 'bad')
    ? 'bad'
    : reasons.length > 0
      ? 'warn'
      : 'good';
  const texts = {
    good: 'All is well.',
    warn: 'Working, with something to look at.',
    bad: 'Something is wrong.',
  };
  return { level, text: texts[level], reasons: reasons.toSorted((a, b) => rank(a) - rank(b)) };
}

const rank = ({ level }: Reason): number => (level === 'bad' ? 0 : 1);

/** A delay that was asked for is no waiting. */
function waitedSince({ createdAt, availableAt }: RunSummary): number {
  return Date.parse(availableAt ?? createdAt);
}

function plural(count: number, hasMore: boolean, one: string, many: string): string {
  return `${count}${hasMore ? ' or more' : ''} ${count === 1 && !hasMore ? one : many}`;
}
