import type { ComponentChildren } from 'preact';
import { isEnded, type RunSummary } from '../../api/runs.ts';
import { attemptText } from '../../format/attempts.ts';
import { shortError } from '../../format/short-error.ts';
import { hrefOf } from '../../state/router.ts';
import { Reason } from '../../ui/reason.tsx';
import { RunTitle } from '../../ui/run-title.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { Ago, Elapsed } from '../../ui/time.tsx';
import { number, TableHead } from '../../ui/table-head.tsx';

const COLUMNS = [
  'State',
  'Run',
  'Task',
  'Key',
  number('Attempt'),
  number('Took'),
  number('Submitted'),
] as const;

/** Runs, one a row. */
export function RunsTable({ runs }: { runs: readonly RunSummary[] }) {
  return (
    <table class="table folds">
      <TableHead columns={COLUMNS} />
      <tbody>
        {runs.map((run) => (
          <tr key={run.id} data-row data-run={run.id}>
            <td>
              <StateBadge state={run.state} />
            </td>
            <td class="fill">
              <RunTitle run={run} {...noteOf(run)} />
            </td>
            <td class="nowrap">
              <a class="muted" href={hrefOf(`/runs?task=${encodeURIComponent(run.task)}`)}>
                {run.task}
              </a>
            </td>
            <td class={run.key === null ? 'folded' : 'nowrap'}>
              {run.key === null ? (
                <span class="muted">–</span>
              ) : (
                <a href={hrefOf(`/runs?key=${encodeURIComponent(run.key)}`)}>{run.key}</a>
              )}
            </td>
            <td class={`number muted ${attemptText(run) === '' ? 'folded' : ''}`} data-label="attempt">
              {attemptText(run)}
            </td>
            <td class="number" data-label="took">
              <Elapsed from={run.startedAt} to={run.endedAt} />
            </td>
            <td class="number muted">
              <Ago at={run.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Below the title of a run: why it waits, its last line, or what went wrong. */
function noteOf({ state, waitingFor, error, cancelReason }: RunSummary): { note?: ComponentChildren } {
  if (state === 'running') return {};
  if (!isEnded(state)) return { note: waitingFor && <Reason text={waitingFor} /> };
  return { note: cancelReason ?? (error && shortError(error.message)) };
}
