import { type RunPage, type RunState, RUN_STATES } from '../../api/runs.ts';
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
import { verdictOf } from './verdict.ts';
import './now.css';

const RUNNING: RunFilter = { ...NO_FILTER, states: ['running'] };
const WAITING: RunFilter = { ...NO_FILTER, states: ['queued'] };
const FAILED: RunFilter = { ...NO_FILTER, states: ['failed', 'timed-out', 'lost'], since: '1d' };
const HOUR_MS = 3_600_000;

/** What happens now: first whether all is well. */
export function NowScreen() {
  const { api, live } = useApp();
  const now = useStore(useApp().now);
  const connection = useStore(live.connection);
  const running = useRunList(RUNNING, 100);
  const waiting = useRunList(WAITING, 50);
  const failures = useRunList(FAILED, 100);
  const schedules = useSchedules();
  const health = useResource(async (signal) => api.system.health(signal), [], { everyMs: 10_000 });

  const inLastHour = (failures.value?.runs ?? []).filter(
    ({ endedAt }) => endedAt !== null && Date.parse(endedAt) > now - HOUR_MS,
  );
  const verdict = verdictOf({
    connection,
    problems: health.value?.problems ?? [],
    failures: inLastHour,
    waiting: waiting.value?.runs ?? [],
    hasMore: { failures: goesOn(failures.value), waiting: goesOn(waiting.value) },
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
        <FailuresPanel failures={failures} />
      </div>
    </Screen>
  );
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
