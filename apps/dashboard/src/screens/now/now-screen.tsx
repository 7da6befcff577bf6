import { type RunPage, type RunQuery, type RunState, RUN_STATES, type RunSummary } from '../../api/runs.ts';
import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { hrefOf } from '../../state/router.ts';
import { NO_FILTER, type RunFilter } from '../../state/run-filter.ts';
import { useRunList } from '../../state/run-list.ts';
import { useSchedules } from '../../state/schedule-list.ts';
import { useStore } from '../../state/store.ts';
import { Screen } from '../../ui/panel.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { FailuresPanel } from './failures-panel.tsx';
import { NextPanel } from './next-panel.tsx';
import { RunningPanel } from './running-panel.tsx';
import { WaitingPanel } from './waiting-panel.tsx';
import { LONG_WAIT_MS, verdictOf } from './verdict.ts';
import './now.css';

const RUNNING: RunFilter = { ...NO_FILTER, states: ['running'] };
const WAITING: RunFilter = { ...NO_FILTER, states: ['queued'] };
/** A run may fail long after it was submitted. */
const FAILED: RunFilter = { ...NO_FILTER, states: ['failed', 'timed-out', 'lost'], since: '7d' };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What happens now: first whether all is well. */
export function NowScreen() {
  const { api, live } = useApp();
  const now = useStore(useApp().now);
  const connection = useStore(live.connection);
  const running = useRunList(RUNNING, 100);
  const waiting = useRunList(WAITING, 50);
  const stuck = useResource(
    async (signal) => api.runs.list({ ...stuckBefore(Date.now() - LONG_WAIT_MS), limit: 100 }, signal),
    [],
    { everyMs: 10_000 },
  );
  const failures = useRunList(FAILED, 100);
  const schedules = useSchedules();
  const health = useResource(async (signal) => api.system.health(signal), [], { everyMs: 10_000 });

  const inLastHour = endedAfter(failures.value, now - HOUR_MS);
  const verdict = verdictOf({
    connection,
    problems: health.value?.problems ?? [],
    failures: inLastHour,
    stuck: stuck.value?.runs ?? [],
    hasMore: {
      failures: goesOn(failures.value) && inLastHour.length === failures.value?.runs.length,
      stuck: goesOn(stuck.value),
    },
    schedules: schedules.value ?? [],
    now,
  });
  const isKnown = connection === 'away' || health.value !== undefined;

  return (
    <Screen name="Now">
      <section
        class={`verdict ${isKnown ? verdict.level : ''}`}
        aria-label="How things are"
        aria-live="polite"
      >
        <p>{isKnown ? verdict.text : 'Looking…'}</p>
        {verdict.reasons.length > 0 && (
          <ul>
            {verdict.reasons.map(({ text, to }) => (
              <li key={text}>
                <a href={hrefOf(to)}>{text}</a>
              </li>
            ))}
          </ul>
        )}
      </section>
      <Tallies />
      <RunningPanel running={running} />
      <WaitingPanel waiting={waiting} />
      <div class="columns">
        <NextPanel schedules={schedules} />
        <FailuresPanel resource={failures} failures={endedAfter(failures.value, now - DAY_MS)} />
      </div>
    </Screen>
  );
}

/** Those that were submitted before an instant and still wait: of a long queue, the list above has the newest. */
function stuckBefore(at: number): RunQuery {
  return { state: 'queued', createdBefore: new Date(at).toISOString() };
}

function endedAfter(page: RunPage | undefined, at: number): readonly RunSummary[] {
  return (page?.runs ?? []).filter(({ endedAt }) => endedAt !== null && Date.parse(endedAt) > at);
}

function goesOn(page: RunPage | undefined): boolean {
  return (page?.nextCursor ?? null) !== null;
}

/** How many runs there are of each state, each the way to its list. */
function Tallies() {
  const { api, live } = useApp();
  const latest = useStore(live.stats, (all) => all.at(-1)?.stats.counts);
  const read = useResource(async (signal) => api.runs.counts(signal), []);
  const counts = latest ?? read.value;
  return (
    <nav class="tallies" aria-label="Runs by state" data-action="run.counts">
      {RUN_STATES.map((state: RunState) => (
        <a key={state} href={hrefOf(`/runs?state=${state}`)}>
          <strong>{counts?.[state] ?? '–'}</strong>
          <StateBadge state={state} />
        </a>
      ))}
    </nav>
  );
}
