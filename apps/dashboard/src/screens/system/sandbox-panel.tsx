import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { Pending } from '../../ui/empty.tsx';
import { Panel } from '../../ui/panel.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';

/** What Python programs run in, and what it was seen to hold. */
export function SandboxPanel() {
  const { api } = useApp();
  const resource = useResource(async (signal) => api.system.sandbox(signal), []);
  const sandbox = resource.value;
  return (
    <Panel title="Sandbox" count={sandbox?.kind} data-action="system.sandbox">
      {sandbox === undefined ? (
        <Pending resource={resource} />
      ) : (
        <div class="stack">
          {sandbox.remedy !== undefined && <p class="fault">{sandbox.remedy}</p>}
          <ul class="checks">
            {(sandbox.checks ?? []).map(({ property, contained, detail }) => (
              <li key={property}>
                <StateBadge state={contained ? 'succeeded' : 'failed'} isShort />
                <span>{property}</span>
                <span class="small muted">{detail}</span>
              </li>
            ))}
          </ul>
          {sandbox.rejected.map(({ kind, reason }) => (
            <p key={kind} class="small muted">
              Not {kind}: {reason}
            </p>
          ))}
        </div>
      )}
    </Panel>
  );
}
