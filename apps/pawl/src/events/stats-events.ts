import { memoryUsage } from 'node:process';
import { type Clock, type Logger, sleep } from '@pawl/core';
import type { RunTracker, SystemProbe } from '@pawl/tasks';
import { toIso } from '../api/conventions.ts';
import type { StatsEvent } from '../api/event-schemas.ts';
import type { EventHub } from './event-hub.ts';

export interface StatsEventsOptions {
  readonly events: EventHub;
  readonly tracker: Pick<RunTracker, 'counts'>;
  /** Watches the processors for as long as one event is apart from the next. */
  readonly probe: Pick<SystemProbe, 'cpuPercent' | 'memoryPercent'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** How long nobody may listen before somebody who comes is noticed, in milliseconds. */
const IDLE_MS = 250;

/** Publishes the numbers of the service, while somebody listens: at once for the first who comes, then every 2 s. */
export function publishStats({ events, tracker, probe, clock, logger, signal }: StatsEventsOptions): void {
  async function publish(cpuPercent: number | null): Promise<void> {
    const counts = await tracker.counts();
    const stats: StatsEvent = {
      at: toIso(clock.wallTime()),
      counts,
      running: counts.running,
      waiting: counts.queued,
      cpuPercent,
      memoryPercent: await probe.memoryPercent(),
      rssBytes: memoryUsage.rss(),
    };
    events.publish('stats', stats);
  }

  void (async () => {
    let isFirst = true;
    while (!signal.aborted) {
      try {
        if (events.subscribers === 0) {
          isFirst = true;
          await sleep(clock, IDLE_MS, { signal, keepAlive: false });
        } else {
          await publish(isFirst ? null : await probe.cpuPercent());
          isFirst = false;
        }
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error }, 'The numbers of the service could not be read.');
        await sleep(clock, IDLE_MS, { signal, keepAlive: false }).catch(() => undefined);
      }
    }
  })();
}
