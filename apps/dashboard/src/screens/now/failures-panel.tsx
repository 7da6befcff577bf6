import type { RunPage, RunSummary } from '../../api/runs.ts';
import type { Resource } from '../../state/resource.ts';
import { hrefOf } from '../../state/router.ts';
import { Empty, Pending } from '../../ui/empty.tsx';
import { Panel } from '../../ui/panel.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { Ago } from '../../ui/time.tsx';
import { groupFailures } from './failure-groups.ts';

const SHOWN_GROUPS = 6;
const SHOWN_RUNS = 5;
const ALL = '/runs?state=failed,timed-out,lost&since=7d';

export interface FailuresPanelProps {
  readonly resource: Resource<RunPage>;
  /** Those of the last day. */
  readonly failures: readonly RunSummary[];
}

/** What failed in the last day, by its error. */
export function FailuresPanel({ resource, failures }: FailuresPanelProps) {
  const page = resource.value;
  const groups = page && groupFailures(failures).slice(0, SHOWN_GROUPS);
  const isCut = page !== undefined && page.nextCursor !== null && failures.length === page.runs.length;
  const count = page && `${failures.length}${isCut ? '+' : ''} in 24 h`;
  return (
    <Panel title="Failures" count={count} tools={<a href={hrefOf(ALL)}>All failures</a>} isFlush>
      {groups === undefined && <Pending resource={resource} />}
      {groups?.length === 0 && <Empty title="Nothing failed in the last 24 hours." />}
      {groups !== undefined && groups.length > 0 && (
        <ul class="list">
          {groups.map(({ fingerprint, text, runs }) => (
            <li key={fingerprint}>
              <details>
                <summary>
                  <StateBadge state={runs[0]?.state ?? 'failed'} isShort />
                  <span class="cut">{text}</span>
                  <strong>{runs.length} ×</strong>
                </summary>
                <ul>
                  {runs.slice(0, SHOWN_RUNS).map(({ id, title, endedAt }) => (
                    <li key={id} data-row>
                      <a class="cut" href={hrefOf(`/runs/${id}`)}>
                        {title}
                      </a>
                      <Ago at={endedAt} />
                    </li>
                  ))}
                </ul>
              </details>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
