import { toIso } from '../api/conventions.ts';
import type { Run } from '@pawl/tasks';
import type { LiveRuns } from './live-runs.ts';

export interface WaitingOptions {
  readonly live: Pick<LiveRuns, 'size' | 'holderOf'>;
  /** Runs under way at a time. */
  readonly maxConcurrent: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Why a run is not running; null unless it is queued. */
export function waitingFor(run: Run, { live, maxConcurrent, now }: WaitingOptions): string | null {
  if (run.state !== 'queued') return null;
  if (run.availableAt > now) {
    return `${run.attempts.length === 0 ? 'its time' : 'its next attempt'}, ${toIso(run.availableAt)}`;
  }
  const holder = run.key === undefined ? undefined : live.holderOf(run.key);
  if (holder !== undefined) return `the key \`${run.key}\`, which ${holder} has`;
  return live.size >= maxConcurrent ? `a free place: all ${maxConcurrent} are taken` : 'its turn';
}
