import { type Emitter, sleep } from '@pawl/core';
import type { RunDispatcher } from './run-dispatcher.ts';
import type { TrackerEvents } from './tracker-events.ts';
import type { ResolvedTrackerOptions } from './tracker-options.ts';

export interface UpkeepOptions extends Pick<
  ResolvedTrackerOptions,
  'store' | 'clock' | 'logger' | 'heartbeatMs' | 'retentionMs' | 'retentionEveryMs'
> {
  readonly dispatcher: RunDispatcher;
  readonly events: Emitter<TrackerEvents>;
  /** Aborts when the tracker stops. */
  readonly signal: AbortSignal;
}

/** So that removing many runs does not keep the store from everybody else. */
const REMOVE_BATCH = 500;

/** What a tracker does besides running runs: it stores their signs of life, and removes old ones. Never rejects. */
export async function keepUp(options: UpkeepOptions): Promise<void> {
  const { heartbeatMs, retentionMs, retentionEveryMs } = options;
  await Promise.all([
    every(heartbeatMs, 'store heartbeats', options, () => beat(options)),
    retentionMs === Infinity
      ? undefined
      : every(retentionEveryMs, 'remove old runs', options, () => removeOld(options)),
  ]);
}

/** Repeats `work`, each time `periodMs` after its end. What fails is told, and done again next time. */
async function every(
  periodMs: number,
  operation: string,
  { clock, logger, events, signal }: UpkeepOptions,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      logger.error({ err: error, operation, retryInMs: periodMs }, `The run store could not ${operation}.`);
      events.emit('store:failed', { operation, error, retryInMs: periodMs });
    }
    await sleep(clock, periodMs, { signal, keepAlive: false }).catch(() => undefined);
  }
}

async function beat({ dispatcher, store, clock }: UpkeepOptions): Promise<void> {
  const beats = dispatcher.live.map((attempt) => attempt.takeBeat());
  if (beats.length === 0) return;
  const { stale, cancelRequested } = await store.heartbeat(clock.wallTime(), beats);
  for (const id of stale) dispatcher.letGo(id);
  for (const id of cancelRequested) {
    const run = await store.get(id);
    if (run?.state === 'running') dispatcher.cancel(run);
  }
}

async function removeOld({ store, clock, retentionMs, events, signal }: UpkeepOptions): Promise<void> {
  let removed: readonly string[];
  do {
    removed = await store.remove(clock.wallTime() - retentionMs, REMOVE_BATCH);
    if (removed.length > 0) events.emit('runs:removed', { runIds: removed });
  } while (removed.length === REMOVE_BATCH && !signal.aborted);
}
