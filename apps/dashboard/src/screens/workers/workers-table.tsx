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
              {worker.kind === 'pool' ? worker.id : 'process of a run'}
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
              <RunOf worker={worker} />
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
              {worker.kind === 'pool' && <WorkerActions worker={worker} onChange={onChange} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What it runs: a run that is tracked has a page. */
function RunOf({ worker: { kind, runId } }: { worker: WorkerView }) {
  if (runId === null) return <span class="muted">–</span>;
  return kind === 'run' ? <a href={hrefOf(`/runs/${runId}`)}>{runId}</a> : runId;
}

interface WorkerActionsProps {
  readonly worker: WorkerView;
  /** Told that something was changed. */
  readonly onChange: () => void;
}

/** What may be done to a worker of a pool. The process of a run is ended by cancelling the run. */
function WorkerActions({ worker: { id, state, runId }, onChange }: WorkerActionsProps) {
  const { api, dialogs, toasts } = useApp();
  const name = `worker ${id}`;
  const isLeaving = state === 'draining';

  async function recycle(): Promise<void> {
    const answer = await dialogs.ask({
      title: `Recycle ${name}?`,
      text: 'A new worker takes its place once its run has ended.',
      confirm: 'Recycle the worker',
    });
    if (answer === undefined) return;
    await api.pools.recycleWorker(id);
    toasts.done(`The ${name} is being replaced.`);
    onChange();
  }

  async function drain(): Promise<void> {
    const answer = await dialogs.ask({
      title: `Drain ${name}?`,
      text: `It ${runId === null ? 'ends' : 'finishes its run, takes no other, and ends'}. Another is started only if the pool has too few workers then.`,
      confirm: 'Drain the worker',
    });
    if (answer === undefined) return;
    await api.pools.drainWorker(id);
    toasts.done(`The ${name} is being drained.`);
    onChange();
  }

  return (
    <>
      <Button data-action="worker.recycle" disabled={isLeaving} onClick={recycle} label={`Recycle ${name}`}>
        Recycle
      </Button>
      <Button data-action="worker.drain" disabled={isLeaving} onClick={drain} label={`Drain ${name}`}>
        Drain
      </Button>
    </>
  );
}
