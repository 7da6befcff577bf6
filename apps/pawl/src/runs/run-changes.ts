import { createDeferred, type Deferred, type EventSource, untilAborted } from '@pawl/core';
import type { Run, TrackerEvents } from '@pawl/tasks';

/** Tells what becomes of runs. */
export interface RunChanges {
  watch(runId: string): RunWatch;
}

/** What becomes of a run from now on. */
export interface RunWatch extends Disposable {
  /** The run as it was told last; undefined while nothing was. It is there also when the tracker has stopped. */
  readonly latest: Run | undefined;
  /** Resolves with the next thing that is told. Ask before looking at the run. @throws the signal's reason */
  next(signal: AbortSignal): Promise<void>;
}

interface Watcher {
  latest: Run | undefined;
  changed: Deferred<void>;
}

/** Follows a tracker. */
export function watchRunChanges(tracker: EventSource<TrackerEvents>): RunChanges {
  const watchers = new Map<string, Set<Watcher>>();

  function tell(runId: string, run?: Run): void {
    for (const watcher of watchers.get(runId) ?? []) {
      watcher.latest = run ?? watcher.latest;
      watcher.changed.resolve();
      watcher.changed = createDeferred();
    }
  }

  tracker.on('attempt:started', ({ run }) => tell(run.id, run));
  tracker.on('attempt:lost', ({ runId }) => tell(runId));
  tracker.on('attempt:stale', ({ runId }) => tell(runId));
  tracker.on('run:requeued', ({ run }) => tell(run.id, run));
  tracker.on('run:ended', ({ run }) => tell(run.id, run));
  tracker.on('runs:removed', ({ runIds }) => runIds.forEach((runId) => tell(runId)));

  return {
    watch(runId) {
      const watcher: Watcher = { latest: undefined, changed: createDeferred() };
      const group = watchers.get(runId) ?? new Set();
      watchers.set(runId, group.add(watcher));
      return {
        get latest() {
          return watcher.latest;
        },
        next(signal) {
          const next = untilAborted(watcher.changed.promise, signal);
          // Who finds what it looks for does not listen.
          next.catch(() => undefined);
          return next;
        },
        [Symbol.dispose]() {
          group.delete(watcher);
          if (group.size === 0) watchers.delete(runId);
        },
      };
    },
  };
}
