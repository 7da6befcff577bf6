import { isEnded, RUN_STATES, type RunQuery, type RunState, type RunSummary } from '../api/runs.ts';

/** Which runs a list shows. Empty texts and lists ask for nothing. */
export interface RunFilter {
  readonly states: readonly RunState[];
  readonly task: string;
  readonly key: string;
  /** The id of a schedule. */
  readonly schedule: string;
  /** How far back, such as `1h`. */
  readonly since: Since | '';
  /** Instants, for links to a span of time. */
  readonly createdFrom: string;
  readonly createdBefore: string;
}

export const SINCE_MS = {
  '15m': 900_000,
  '1h': 3_600_000,
  '1d': 86_400_000,
  '7d': 604_800_000,
} as const;
export type Since = keyof typeof SINCE_MS;

export const NO_FILTER: RunFilter = {
  states: [],
  task: '',
  key: '',
  schedule: '',
  since: '',
  createdFrom: '',
  createdBefore: '',
};

/** Reads what the address asks for; what means nothing is left out. */
export function filterOf(query: URLSearchParams): RunFilter {
  const states = (query.get('state') ?? '').split(',');
  const since = query.get('since') ?? '';
  const instant = (name: string): string => {
    const text = query.get(name) ?? '';
    return Number.isNaN(Date.parse(text)) ? '' : text;
  };
  return {
    states: RUN_STATES.filter((state) => states.includes(state)),
    task: query.get('task') ?? '',
    key: query.get('key') ?? '',
    schedule: query.get('schedule') ?? '',
    since: since in SINCE_MS ? (since as Since) : '',
    createdFrom: instant('createdFrom'),
    createdBefore: instant('createdBefore'),
  };
}

/** The address's query for a filter: `?state=failed,lost&task=python`, or nothing. */
export function queryOf({ states, ...rest }: RunFilter): string {
  const parts = Object.entries({ state: states.join(','), ...rest }).filter(([, value]) => value !== '');
  const text = new URLSearchParams(parts).toString().replaceAll('%2C', ',');
  return text === '' ? '' : `?${text}`;
}

/** What the service is asked for. */
export function requestOf(filter: RunFilter, now: number): RunQuery {
  const { states, task, key, schedule, since, createdFrom, createdBefore } = filter;
  const from = since === '' ? createdFrom : new Date(now - SINCE_MS[since]).toISOString();
  return {
    ...(states.length === 0 ? {} : { state: states.join(',') }),
    ...(task === '' ? {} : { task }),
    ...(key === '' ? {} : { key }),
    ...(schedule === '' ? {} : { schedule }),
    ...(from === '' ? {} : { createdFrom: from }),
    ...(createdBefore === '' ? {} : { createdBefore }),
  };
}

function matches(
  { states, task, key, schedule, since, createdFrom, createdBefore }: RunFilter,
  run: RunSummary,
): boolean {
  const createdAt = Date.parse(run.createdAt);
  return (
    (states.length === 0 || states.includes(run.state)) &&
    (task === '' || run.task === task) &&
    (key === '' || run.key === key) &&
    (schedule === '' || run.schedule === schedule) &&
    (since !== '' || createdFrom === '' || createdAt >= Date.parse(createdFrom)) &&
    (createdBefore === '' || createdAt < Date.parse(createdBefore))
  );
}

/**
 * A list of runs, newest first, after some of them changed: in their places with what is known now, new ones on top,
 * out when they match no more.
 */
export function applyRuns(
  list: readonly RunSummary[],
  changed: readonly RunSummary[],
  filter: RunFilter,
  limit: number,
): readonly RunSummary[] {
  const byId = new Map(changed.map((run) => [run.id, run]));
  const kept = list.flatMap((run) => {
    const next = byId.get(run.id);
    byId.delete(run.id);
    if (next === undefined) return [run];
    // Events of one run may overtake the list that was read: an end is never taken back.
    if (isEnded(run.state) && !isEnded(next.state)) return [run];
    return matches(filter, next) ? [next] : [];
  });
  const fresh = [...byId.values()].filter((run) => matches(filter, run));
  if (fresh.length === 0) return kept;
  return [...kept, ...fresh]
    .toSorted((a, b) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id))
    .slice(0, limit);
}
