import type { EventSource } from '@pawl/core';
import type { Run, TrackerEvents } from '@pawl/tasks';

/** The runs that are running here now. */
export interface LiveRuns {
  readonly size: number;
  readonly ids: readonly string[];
  has(runId: string): boolean;
  /** The run that has a key, if one runs. */
  holderOf(key: string): string | undefined;
}

/** Follows a tracker. */
export function watchLiveRuns(tracker: EventSource<TrackerEvents>): LiveRuns {
  const live = new Map<string, Run>();
  const forget = ({ runId }: { readonly runId: string }): void => void live.delete(runId);
  tracker.on('attempt:started', ({ run }) => live.set(run.id, run));
  tracker.on('attempt:succeeded', forget);
  tracker.on('attempt:failed', forget);
  tracker.on('attempt:stale', forget);
  return {
    get size() {
      return live.size;
    },
    get ids() {
      return [...live.keys()];
    },
    has: (runId) => live.has(runId),
    holderOf: (key) => [...live.values()].find((run) => run.key === key)?.id,
  };
}
