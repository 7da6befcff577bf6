import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { Empty, Pending } from '../../ui/empty.tsx';
import { Panel, Screen } from '../../ui/panel.tsx';
import { PoolsTable } from './pools-table.tsx';
import { WorkersTable } from './workers-table.tsx';
import './workers.css';

const EVERY_MS = 2_000;

/** The pools, and every process that works. */
export function WorkersScreen() {
  const { api } = useApp();
  const pools = useResource(async (signal) => api.pools.list(signal), [], { everyMs: EVERY_MS });
  const workers = useResource(async (signal) => api.pools.workers(signal), [], { everyMs: EVERY_MS });
  const reload = (): void => {
    pools.reload();
    workers.reload();
  };
  return (
    <Screen name="Workers">
      <Panel title="Pools" count={pools.value?.length} data-action="pool.list" isFlush>
        {pools.value === undefined && <Pending resource={pools} />}
        {pools.value?.length === 0 && <Empty title="There are no pools." />}
        {pools.value !== undefined && pools.value.length > 0 && (
          <PoolsTable pools={pools.value} onChange={reload} />
        )}
      </Panel>
      <Panel title="Workers and processes" count={workers.value?.length} data-action="worker.list" isFlush>
        {workers.value === undefined && <Pending resource={workers} />}
        {workers.value?.length === 0 && (
          <Empty title="No process works at the moment." command="pawl submit --command sleep 60" />
        )}
        {workers.value !== undefined && workers.value.length > 0 && (
          <WorkersTable workers={workers.value} onChange={reload} />
        )}
      </Panel>
    </Screen>
  );
}
