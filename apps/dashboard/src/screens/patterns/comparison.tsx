import type { PatternComparison } from '../../api/advisor.ts';
import { hrefOf } from '../../state/router.ts';
import { Panel } from '../../ui/panel.tsx';
import { TableHead } from '../../ui/table-head.tsx';

const COLUMNS = ['Pattern', 'Answers', 'Output', 'At once', 'Kept after a restart', 'Cancel'] as const;

/** The patterns side by side. */
export function Comparison({ patterns }: { patterns: readonly PatternComparison[] }) {
  return (
    <Panel title="Side by side" data-action="advisor.compare" isFlush>
      <div role="region" aria-label="Comparison" tabIndex={0} style={{ overflowX: 'auto' }}>
        <table class="table">
          <TableHead columns={COLUMNS} />
          <tbody>
            {patterns.map(({ name, answers, output, atOnce, keptAfterRestart, cancel }) => (
              <tr key={name}>
                <th scope="row" class="nowrap">
                  <a href={hrefOf(`/patterns?pattern=${name}`)}>{name}</a>
                </th>
                <td>{answers}</td>
                <td>{output}</td>
                <td>{atOnce}</td>
                <td>{keptAfterRestart}</td>
                <td>{cancel}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
