import type { PastRun } from '../api/schedules.ts';
import { formatAbsolute, formatDuration } from '../format/time.ts';
import { hrefOf } from '../state/router.ts';
import './spark.css';

/** The last runs as bars, oldest first: the colour is the state, the height how long it took beside the others. */
export function Spark({ runs }: { runs: readonly PastRun[] }) {
  if (runs.length === 0) return <span class="muted small">none yet</span>;
  const longest = Math.max(...runs.map(({ durationMs }) => durationMs ?? 0), 1);
  const ordered = runs.toSorted((a, b) => a.at.localeCompare(b.at));
  return (
    <span class="spark">
      {ordered.map(({ runId, state, at, durationMs }) => {
        const text = `${state}, ${formatAbsolute(Date.parse(at))}, ${formatDuration(durationMs)}`;
        const height = `${20 + 80 * ((durationMs ?? longest) / longest)}%`;
        return (
          <a
            key={runId}
            href={hrefOf(`/runs/${runId}`)}
            class={`state-${state}`}
            title={text}
            aria-label={text}
          >
            <span style={{ height }} />
          </a>
        );
      })}
    </span>
  );
}
