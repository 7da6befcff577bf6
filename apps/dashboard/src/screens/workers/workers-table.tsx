import type { WorkerView } from '../../api/pools.ts';
import { formatBytes } from '../../format/bytes.ts';
import { formatDuration } from '../../format/time.ts';
import { useApp } from '../../state/app.ts';
import { hrefOf } from '../../state/router.ts';
import { Button } from '../../ui/button.tsx';
import { Ago, Elapsed } from '../../ui/time.tsx';
import { ACTIONS, number, TableHead } from '../../ui/table-head.tsx';

const COLUMNS = [
  'Worker',
  'State',
  'Run',
  number('Process'),
  number('Memory'),
  number('CPU'),
  number('Age'),
  number('Sign of life'),
  number('Runs'),
  ACTIONS,
] as const;

export interface WorkersTableProps {
  readonly workers: readonly WorkerView[];
  /** Told that something was changed. */
  readonly onChange: () => void;
}

export function WorkersTable({ workers, onChange }: WorkersTableProps) {
  return (
    <table class="table folds">
      <TableHead columns={COLUMNS} />
      <tbody>
        {workers.map((worker) => (
          <tr key={worker.id} data-row data-worker={worker.id}>
            <th scope="row" class="nowrap">
              {worker.kind === 'pool' ? (worker.pool ?? 'pool') : 'process of a run'}
            </th>
            <td>
              {worker.state}
              {worker.findings.map((finding) => (
                <div key={finding} class="small note">
                  {finding}
                </div>
              ))}
            </td>
            <td class="fill cut mono">
              {worker.runId === null ? (
                <span class="muted">–</span>
              ) : (
                <a href={hrefOf(`/runs/${worker.runId}`)}>{worker.runId}</a>
              )}
            </td>
            <td class="number muted" data-label="process">
              {worker.pid ?? '–'}
            </td>
            <td class="number" data-label="memory">
              {formatBytes(worker.rssBytes)}
            </td>
            <td class="number" data-label="CPU">
              {formatDuration(worker.cpuMs)}
            </td>
            <td class="number" data-label="age">
              <Elapsed from={worker.startedAt} to={null} />
            </td>
            <td class="number" data-label="sign of life">
              <Ago at={worker.heartbeatAt} />
            </td>
            <td class="number" data-label="runs">
              {worker.runs}
            </td>
            <td class="tools">
              <RecycleWorker worker={worker} onChange={onChange} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RecycleWorker({
  worker: { id, kind, pid },
  onChange,
}: {
  worker: WorkerView;
  onChange: () => void;
}) {
  const { api, dialogs, toasts } = useApp();
  // The process of a run is ended by cancelling the run.
  if (kind !== 'pool') return null;

  async function recycle(): Promise<void> {
    const answer = await dialogs.ask({
      title: `Recycle worker ${pid ?? id}?`,
      text: 'A new worker takes its place once its run has ended.',
      confirm: 'Recycle the worker',
    });
    if (answer === undefined) return;
    await api.pools.recycleWorker(id);
    toasts.done(`Worker ${pid ?? id} is being replaced.`);
    onChange();
  }

  return (
    <Button data-action="worker.recycle" onClick={recycle} label={`Recycle worker ${pid ?? id}`}>
      Recycle
    </Button>
  );
}
