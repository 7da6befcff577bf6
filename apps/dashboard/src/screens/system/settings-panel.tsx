import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { Pending } from '../../ui/empty.tsx';
import { Panel } from '../../ui/panel.tsx';
import { TableHead } from '../../ui/table-head.tsx';

const COLUMNS = ['Setting', 'Value', 'What it does'] as const;

/** The settings in force. */
export function SettingsPanel() {
  const { api } = useApp();
  const settings = useResource(async (signal) => api.system.settings(signal), []);
  return (
    <Panel title="Settings" count={settings.value?.length} data-action="system.settings" isFlush>
      {settings.value === undefined ? (
        <Pending resource={settings} />
      ) : (
        <table class="table folds">
          <TableHead columns={COLUMNS} />
          <tbody>
            {settings.value.map(({ name, value, default: usual, description }) => (
              <tr key={name}>
                <th scope="row">
                  <code>{name}</code>
                </th>
                <td class="break">
                  {value ?? <span class="muted">not set</span>}
                  {value !== null && value !== usual && (
                    <>
                      {' '}
                      <span class="badge calm">changed</span>
                    </>
                  )}
                </td>
                <td class="small muted">{description}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
