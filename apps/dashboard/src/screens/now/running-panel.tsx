import type { RunPage } from '../../api/runs.ts';
import type { Resource } from '../../state/resource.ts';
import { CancelButton } from '../../ui/cancel-button.tsx';
import { Empty, Pending } from '../../ui/empty.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Progress } from '../../ui/progress.tsx';
import { RunTitle } from '../../ui/run-title.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { Elapsed } from '../../ui/time.tsx';
import { ACTIONS, number, TableHead } from '../../ui/table-head.tsx';

const COLUMNS = [
  { name: 'State', is: 'unseen' },
  'Run',
  'Task',
  'Progress',
  number('Process'),
  number('Elapsed'),
  ACTIONS,
] as const;

/** What runs, with its last line and how long it has taken. */
export function RunningPanel({ running }: { running: Resource<RunPage> }) {
  const runs = running.value?.runs;
  return (
    <Panel title="Running" count={runs?.length} isFlush>
      {runs === undefined && <Pending resource={running} />}
      {runs?.length === 0 && (
        <Empty title="Nothing is running." command="pawl submit --command sleep 60">
          Start something, and watch it here:
        </Empty>
      )}
      {runs !== undefined && runs.length > 0 && (
        <table class="table folds">
          <TableHead columns={COLUMNS} />
          <tbody>
            {runs.map((run) => (
              <tr key={run.id} data-row data-run={run.id}>
                <td class="folded">
                  <StateBadge state={run.state} isShort />
                </td>
                <td class="fill">
                  <RunTitle run={run} />
                </td>
                <td class="muted nowrap">{run.task}</td>
                <td>
                  <Progress value={run.progress} />
                </td>
                <td class="number muted" data-label="process">
                  {run.pid ?? '–'}
                </td>
                <td class="number">
                  <Elapsed from={run.startedAt} to={null} />
                </td>
                <td class="tools">
                  <CancelButton run={run} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
