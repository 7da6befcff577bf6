import { type Clock, type Logger, sleep } from '@pawl/core';
import type { Run, RunTracker } from '@pawl/tasks';
import type { RunListView } from '../api/run-schemas.ts';
import type { LiveRuns } from '../runs/live-runs.ts';
import type { RunLogs } from '../runs/run-logs.ts';
import type { Runs } from '../runs/runs.ts';
import type { EventHub } from './event-hub.ts';

export interface RunEventsOptions {
  readonly events: EventHub;
  readonly tracker: RunTracker;
  readonly live: LiveRuns;
  readonly runs: Pick<Runs, 'summary'>;
  readonly logs: Pick<RunLogs, 'lastLine'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** How often progress, processes and last lines are looked at while somebody listens, in milliseconds. */
const LOOK_MS = 500;

/** Publishes every change of every run; and, while somebody listens, what the running ones do. */
export function publishRuns(options: RunEventsOptions): void {
  const { events, tracker, runs, clock, logger, signal } = options;
  const publish = ({ run }: { readonly run: Run }): void => events.publish('run', runs.summary(run));
  tracker.on('run:submitted', publish);
  tracker.on('attempt:started', publish);
  tracker.on('run:requeued', publish);
  tracker.on('run:ended', publish);

  /** What was last told of the running ones. */
  let told = new Map<string, string>();

  async function look(): Promise<void> {
    const now = new Map<string, string>();
    for (const id of options.live.ids) {
      const run = await tracker.get(id);
      if (run?.state !== 'running') continue;
      const view = { ...runs.summary(run), lastLine: await options.logs.lastLine(run) };
      const text = changeable(view);
      // It may have ended while its log was read: that was told, and comes last.
      if (text !== told.get(id) && options.live.has(id)) events.publish('run', view);
      now.set(id, text);
    }
    told = now;
  }

  void (async () => {
    while (!signal.aborted) {
      try {
        if (events.subscribers > 0 && options.live.size > 0) await look();
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'The running runs could not be looked at.');
      }
      await sleep(clock, LOOK_MS, { signal, keepAlive: false }).catch(() => undefined);
    }
  })();
}

/** What of a running run is worth an event. */
function changeable({ progress, pid, attempt, lastLine }: RunListView): string {
  return JSON.stringify([progress, pid, attempt, lastLine]);
}
