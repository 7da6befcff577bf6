import type { MaintenanceJob } from '../../api/system.ts';
import { formatDuration } from '../../format/time.ts';
import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { Button } from '../../ui/button.tsx';
import { Pending } from '../../ui/empty.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Ago } from '../../ui/time.tsx';
import { ACTIONS, TableHead } from '../../ui/table-head.tsx';

const COLUMNS = ['Job', 'Last', 'Next', ACTIONS] as const;

/** The jobs that keep the service tidy. */
export function MaintenancePanel() {
  const { api } = useApp();
  const jobs = useResource(async (signal) => api.system.maintenance(signal), [], { everyMs: 10_000 });
  return (
    <Panel title="Maintenance" count={jobs.value?.length} data-action="maintenance.list" isFlush>
      {jobs.value === undefined ? (
        <Pending resource={jobs} />
      ) : (
        <table class="table folds">
          <TableHead columns={COLUMNS} />
          <tbody>
            {jobs.value.map((job) => (
              <Job key={job.job} job={job} onRun={jobs.reload} />
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function Job({ job, onRun }: { job: MaintenanceJob; onRun: () => void }) {
  const { api, toasts } = useApp();
  const { job: name, description, everyMs, lastRunAt, lastError, nextRunAt } = job;

  async function run(): Promise<void> {
    const { lastResult, lastError: fault } = await api.system.runMaintenance(name);
    if (fault === null) toasts.done(`Ran ${name}: ${JSON.stringify(lastResult)}`);
    else toasts.error(new Error(`${name} failed: ${fault}`));
    onRun();
  }

  return (
    <tr data-row data-job={name}>
      <td class="fill">
        <div class="run-title">
          <span>
            {name} <span class="small muted">every {formatDuration(everyMs)}</span>
          </span>
          <span class={`small cut ${lastError === null ? 'muted' : 'note'}`} title={lastError ?? description}>
            {lastError ?? description}
          </span>
        </div>
      </td>
      <td class="nowrap" data-label="last">
        <Ago at={lastRunAt} />
      </td>
      <td class="nowrap" data-label="next">
        <Ago at={nextRunAt} />
      </td>
      <td class="tools">
        <Button data-action="maintenance.run" onClick={run} label={`Run now: ${name}`}>
          Run now
        </Button>
      </td>
    </tr>
  );
}
