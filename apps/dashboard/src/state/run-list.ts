import { useEffect } from 'preact/hooks';
import type { RunPage, RunSummary } from '../api/runs.ts';
import { useApp } from './app.ts';
import { type Resource, useResource } from './resource.ts';
import { applyRuns, queryOf, requestOf, type RunFilter } from './run-filter.ts';

/** No event tells that a run was deleted, or waits for something else now. */
const REFRESH_MS = 15_000;

/** A page of runs that follows what happens. New runs appear on the first page alone. */
export function useRunList(filter: RunFilter, limit: number, cursor: string = ''): Resource<RunPage> {
  const { api, live } = useApp();
  const key = queryOf(filter);
  const resource = useResource(
    async (signal) => {
      // What happens while it is read may not be in it.
      const changed: RunSummary[] = [];
      const end = live.onRuns((runs) => changed.push(...runs));
      try {
        const place = cursor === '' ? {} : { cursor };
        const page = await api.runs.list({ ...requestOf(filter, Date.now()), limit, ...place }, signal);
        return { ...page, runs: applyRuns(page.runs, knownOf(page, changed), filter, limit) };
      } finally {
        end();
      }
    },
    [key, limit, cursor],
    cursor === '' ? { everyMs: REFRESH_MS } : {},
  );
  const { patch } = resource;
  useEffect(
    () =>
      live.onRuns((changed) => {
        patch((page) => ({
          ...page,
          runs: applyRuns(page.runs, knownOf(page, changed), filter, limit),
        }));
      }),
    [key, limit, cursor, live, patch],
  );
  return resource;

  /** Runs that are new belong on the first page. */
  function knownOf(page: RunPage, changed: readonly RunSummary[]): readonly RunSummary[] {
    return cursor === '' ? changed : changed.filter(({ id }) => page.runs.some((run) => run.id === id));
  }
}
