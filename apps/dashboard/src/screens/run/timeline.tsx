import { isEnded, type RunSummary } from '../../api/runs.ts';
import { formatClock } from '../../format/time.ts';
import { Panel } from '../../ui/panel.tsx';
import { Reason } from '../../ui/reason.tsx';
import { Ago, Elapsed } from '../../ui/time.tsx';

/** Created, waiting, started, ended, and how long each took. */
export function Timeline({ run }: { run: RunSummary }) {
  const { createdAt, startedAt, endedAt, state, waitingFor } = run;
  const waitsUntil = startedAt ?? endedAt;
  return (
    <Panel title="Timeline">
      <ol class="timeline">
        <li class="reached">
          <strong>Created</strong>
          <Moment at={createdAt} />
        </li>
        <li class="reached state-queued">
          <strong>Waiting</strong>
          <span class="small muted">
            <Elapsed from={createdAt} to={waitsUntil} />
            {waitsUntil === null && waitingFor !== null && (
              <>
                {': '}
                <Reason text={waitingFor} />
              </>
            )}
          </span>
        </li>
        <li class={startedAt === null ? '' : 'reached state-running'}>
          <strong>{startedAt === null ? 'Not started' : 'Started'}</strong>
          {startedAt !== null && (
            <span class="small muted">
              <Moment at={startedAt} />, {endedAt === null ? 'for' : 'took'}{' '}
              <Elapsed from={startedAt} to={endedAt} />
            </span>
          )}
        </li>
        <li class={isEnded(state) ? `reached state-${state}` : ''}>
          <strong>{isEnded(state) ? `Ended: ${state}` : 'Not ended'}</strong>
          {endedAt !== null && <Moment at={endedAt} />}
        </li>
      </ol>
    </Panel>
  );
}

function Moment({ at }: { at: string }) {
  return (
    <span class="small muted">
      {formatClock(Date.parse(at))}, <Ago at={at} />
    </span>
  );
}
