import { useApp } from '../../state/app.ts';
import { hrefOf } from '../../state/router.ts';
import { filterOf, queryOf, type RunFilter } from '../../state/run-filter.ts';
import { useRunList } from '../../state/run-list.ts';
import { useStore } from '../../state/store.ts';
import { Empty, Pending } from '../../ui/empty.tsx';
import { Panel, Screen } from '../../ui/panel.tsx';
import { Facets } from './facets.tsx';
import { RunsTable } from './runs-table.tsx';
import './runs.css';

const PAGE_SIZE = 50;

/** All runs, by facets that live in the address. */
export function RunsScreen() {
  const { router } = useApp();
  const { query } = useStore(router.place);
  const filter = filterOf(query);
  const cursor = query.get('cursor') ?? '';
  const list = useRunList(filter, PAGE_SIZE, cursor);
  const page = list.value;
  const isFiltered = queryOf(filter) !== '';

  const show = (next: RunFilter): void => router.go(`/runs${queryOf(next)}`, { replace: true });

  return (
    <Screen
      name="Runs"
      tools={
        <a class="button primary" href={hrefOf('/patterns')}>
          Submit a run
        </a>
      }
    >
      <Facets filter={filter} onChange={show} />
      <Panel title={isFiltered ? 'Found' : 'Newest first'} data-action="run.list" isFlush>
        {page === undefined && <Pending resource={list} />}
        {page?.runs.length === 0 && !isFiltered && (
          <Empty title="There are no runs yet." command="pawl submit --python --code 'print(6 * 7)' --follow">
            Submit one, and follow it here:
          </Empty>
        )}
        {page?.runs.length === 0 && isFiltered && (
          <Empty title="No run is like that.">
            <a href={hrefOf('/runs')}>Show all runs</a>
          </Empty>
        )}
        {page !== undefined && page.runs.length > 0 && <RunsTable runs={page.runs} />}
        {page !== undefined && (cursor !== '' || page.nextCursor !== null) && (
          <Pager filter={filter} isFirst={cursor === ''} next={page.nextCursor} />
        )}
      </Panel>
    </Screen>
  );
}

function Pager({ filter, isFirst, next }: { filter: RunFilter; isFirst: boolean; next: string | null }) {
  const base = queryOf(filter);
  const join = base === '' ? '?' : `${base}&`;
  return (
    <nav class="pager" aria-label="Pages">
      {isFirst ? (
        <span class="muted small">The newest {PAGE_SIZE}, live</span>
      ) : (
        <a href={hrefOf(`/runs${base}`)}>Newest</a>
      )}
      {next === null ? (
        <span class="muted small">These are the oldest.</span>
      ) : (
        <a class="button" href={hrefOf(`/runs${join}cursor=${encodeURIComponent(next)}`)}>
          Older
        </a>
      )}
    </nav>
  );
}
