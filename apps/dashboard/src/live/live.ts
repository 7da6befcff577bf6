import { ApiError, type Http } from '../api/http.ts';
import type { RunSummary } from '../api/runs.ts';
import type { Session } from '../api/session.ts';
import { createStore, type Store } from '../state/store.ts';
import type { ServerEvent } from './event-parser.ts';
import { follow } from './follow.ts';

/** What the service sends every 2 s. Fields it does not send are undefined. */
export interface Stats {
  readonly counts?: Readonly<Record<string, number>>;
  readonly cpuPercent?: number | null;
  readonly rssBytes?: number | null;
}

/** `away`: the service does not answer, and the page tries again. */
export type Connection = 'connecting' | 'live' | 'away';

/** What happens at the service, as it happens. */
export interface Live {
  readonly connection: Store<Connection>;
  /** The latest ones, oldest first: ten minutes. */
  readonly stats: Store<readonly TimedStats[]>;
  /** Runs that changed, in bundles; returns what ends it. */
  onRuns(listener: (runs: readonly RunSummary[]) => void): () => void;
  /** Told that schedules changed. */
  onSchedules(listener: () => void): () => void;
  /** Told that events may have been missed, so that all that is shown has to be read again. */
  onReset(listener: () => void): () => void;
  start(): void;
}

export interface TimedStats {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly stats: Stats;
}

/** 300 × 2 s. */
const KEPT_STATS = 300;
/** Events of this time are handed on together, so that a burst renders once. */
const BUNDLE_MS = 80;

export function createLive(http: Http, session: Session): Live {
  const connection = createStore<Connection>('connecting');
  const stats = createStore<readonly TimedStats[]>([]);
  const runListeners = new Set<(runs: readonly RunSummary[]) => void>();
  const scheduleListeners = new Set<() => void>();
  const resetListeners = new Set<() => void>();
  let changed = new Map<string, RunSummary>();
  let schedulesChanged = false;
  let bundle: ReturnType<typeof setTimeout> | undefined;
  let wasAway = false;

  function flush(): void {
    bundle = undefined;
    const runs = [...changed.values()];
    changed = new Map();
    if (runs.length > 0) for (const listener of runListeners) listener(runs);
    if (schedulesChanged) for (const listener of scheduleListeners) listener();
    schedulesChanged = false;
  }

  const reset = (): void => {
    for (const listener of resetListeners) listener();
  };

  function take({ type, data }: ServerEvent): void {
    if (type === 'reset') reset();
    else if (type === 'run') {
      const run = JSON.parse(data) as RunSummary;
      changed.set(run.id, run);
    } else if (type === 'schedule') schedulesChanged = true;
    else if (type === 'stats') {
      const sample = { at: Date.now(), stats: JSON.parse(data) as Stats };
      stats.update((all) => [...all.slice(1 - KEPT_STATS), sample]);
    }
  }

  async function connect(signal: AbortSignal): Promise<void> {
    await follow({
      open: async (lastEventId, streamSignal) =>
        http.send('GET', '/v1/events', {
          headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
          signal: streamSignal,
        }),
      onOpen() {
        connection.set('live');
        // Another service may be there now, which knows nothing of our last event.
        if (wasAway) reset();
        wasAway = false;
      },
      onBreak() {
        wasAway = true;
        connection.set('away');
      },
      onEvents(events) {
        for (const event of events) take(event);
        bundle ??= setTimeout(flush, BUNDLE_MS);
        return undefined;
      },
      signal,
    });
  }

  return {
    connection,
    stats,
    onRuns: (listener) => subscribe(runListeners, listener),
    onSchedules: (listener) => subscribe(scheduleListeners, listener),
    onReset: (listener) => subscribe(resetListeners, listener),
    start() {
      let running = new AbortController();
      const begin = (): void => {
        connect(running.signal).catch((error: unknown) => {
          // Refused for want of a token: the next one starts it again.
          if (!(error instanceof ApiError)) throw error;
        });
      };
      begin();
      session.token.subscribe(() => {
        running.abort();
        running = new AbortController();
        wasAway = true;
        begin();
      });
    },
  };
}

function subscribe<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
