import type { RunPage } from '../../api/runs.ts';
import type { Resource } from '../../state/resource.ts';
import { hrefOf } from '../../state/router.ts';
import { CancelButton } from '../../ui/cancel-button.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Reason } from '../../ui/reason.tsx';
import { RunTitle } from '../../ui/run-title.tsx';
import { Ago } from '../../ui/time.tsx';
import { ACTIONS, number, TableHead } from '../../ui/table-head.tsx';

const COLUMNS = ['Run, and why it waits', 'Task', number('Priority'), number('Submitted'), ACTIONS] as const;

const SHOWN = 8;

/** What waits, and for what; nothing when nothing does. */
export function WaitingPanel({ waiting }: { waiting: Resource<RunPage> }) {
  const page = waiting.value;
  if (page === undefined || page.runs.length === 0) return null;
  const count = `${page.runs.length}${page.nextCursor === null ? '' : '+'}`;
  // The list has the newest first; the oldest one has waited longest.
  const runs = page.runs.toReversed().slice(0, SHOWN);
  return (
    <Panel title="Waiting" count={count} tools={<a href={hrefOf('/runs?state=queued')}>All</a>} isFlush>
      <table class="table folds">
        <TableHead columns={COLUMNS} />
        <tbody>
          {runs.map((run) => (
            <tr key={run.id} data-row>
              <td class="fill">
                <RunTitle run={run} note={run.waitingFor && <Reason text={run.waitingFor} />} />
              </td>
              <td class="muted nowrap">{run.task}</td>
              <td class="number muted" data-label="priority">
                {run.priority}
              </td>
              <td class="number">
                <Ago at={run.createdAt} />
              </td>
              <td class="tools">
                <CancelButton run={run} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
