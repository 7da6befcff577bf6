import type { LossReceipt, RunAttempt } from '../../api/runs.ts';
import { Button } from '../../ui/button.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Panel } from '../../ui/panel.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { Ago, Elapsed } from '../../ui/time.tsx';

export interface AttemptsProps {
  readonly attempts: readonly RunAttempt[];
  /** The fence of the one whose output is shown. */
  readonly shown: number | undefined;
  readonly onShow: (fence: number) => void;
}

/** Each try, with what ended it. */
export function Attempts({ attempts, shown, onShow }: AttemptsProps) {
  return (
    <Panel title="Attempts" count={attempts.length}>
      {attempts.length === 0 && <p class="muted">None yet: the run waits.</p>}
      <ol class="attempts">
        {attempts.toReversed().map((attempt) => (
          <li key={attempt.fence} class="stack">
            <div class="row">
              <strong>#{attempt.number}</strong>
              <StateBadge state={attempt.outcome ?? 'running'} />
              <span class="small muted">
                <Elapsed from={attempt.startedAt} to={attempt.endedAt} />, started{' '}
                <Ago at={attempt.startedAt} />
                {attempt.pid !== null && `, process ${attempt.pid}`}
                {attempt.host !== null && ` on ${attempt.host}`}
              </span>
              {attempts.length > 1 && (
                <Button kind="quiet" pressed={attempt.fence === shown} onClick={() => onShow(attempt.fence)}>
                  Show its output
                </Button>
              )}
            </div>
            {attempt.error !== null && (
              <details open={attempts.length === 1}>
                <summary>Crash report: {attempt.error.code ?? attempt.error.name}</summary>
                <CodeBlock label="Crash report" text={attempt.error.stack ?? attempt.error.message} />
              </details>
            )}
            {attempt.receipt !== null && <Receipt receipt={attempt.receipt} />}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

const REASONS: Readonly<Record<string, string>> = {
  'host-died': 'The service that ran it was killed.',
  'host-rebooted': 'The machine was started anew.',
  silent: 'It gave no sign of life.',
};

/** What is known of an attempt whose end nobody saw. */
function Receipt({ receipt }: { receipt: LossReceipt }) {
  const { reason, host, pid, lastHeartbeatAt, foundAt, endedPids } = receipt;
  return (
    <dl class="facts small">
      <dt>Lost because</dt>
      <dd>{REASONS[reason] ?? reason}</dd>
      <dt>Last sign of life</dt>
      <dd>
        <Ago at={lastHeartbeatAt} />
      </dd>
      <dt>Found</dt>
      <dd>
        <Ago at={foundAt} />
      </dd>
      <dt>Ran</dt>
      <dd>
        process {pid ?? '–'} on {host}
      </dd>
      <dt>Left behind and ended</dt>
      <dd>{endedPids.length === 0 ? 'nothing' : `processes ${endedPids.join(', ')}`}</dd>
    </dl>
  );
}
