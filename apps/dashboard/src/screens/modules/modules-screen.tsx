import type { ModuleView } from '../../api/modules.ts';
import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { hrefOf } from '../../state/router.ts';
import { Empty, Pending } from '../../ui/empty.tsx';
import { Panel, Screen } from '../../ui/panel.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { Ago } from '../../ui/time.tsx';
import { number, TableHead } from '../../ui/table-head.tsx';

const COLUMNS = ['Module', number('Runs'), number('Succeeded'), 'Last'] as const;

/** Scripts with forms, for people who do not know their options by heart. */
export function ModulesScreen() {
  const { api } = useApp();
  const modules = useResource(async (signal) => api.modules.list(signal), [], { everyMs: 10_000 });
  const list = modules.value?.modules;
  return (
    <Screen name="Modules">
      <Panel title="Modules" count={list?.length} data-action="module.list" isFlush>
        {list === undefined && <Pending resource={modules} />}
        {list?.length === 0 && (
          <Empty title="There are no modules." command="PAWL_MODULES=./modules pawl serve">
            A module is a script and a JSON file that says which parameters it has. Name their folder:
          </Empty>
        )}
        {list !== undefined && list.length > 0 && <ModulesTable modules={list} />}
      </Panel>
      {modules.value?.faults.map(({ file, message }) => (
        <p key={file + message} class="fault">
          {file} is left out: {message}
        </p>
      ))}
    </Screen>
  );
}

function ModulesTable({ modules }: { modules: readonly ModuleView[] }) {
  return (
    <table class="table folds">
      <TableHead columns={COLUMNS} />
      <tbody>
        {modules.map(({ id, name, description, runs, successRate, lastRun }) => (
          <tr key={id} data-row data-module={id}>
            <td class="fill">
              <div class="run-title">
                <a href={hrefOf(`/modules/${encodeURIComponent(id)}`)}>{name}</a>
                <span class="small muted cut">{description}</span>
              </div>
            </td>
            <td class="number" data-label="runs">
              <a href={hrefOf(`/runs?task=${encodeURIComponent(`module:${id}`)}`)}>{runs}</a>
            </td>
            <td class="number" data-label="succeeded">
              {successRate === null ? '–' : `${Math.round(successRate * 100)} %`}
            </td>
            <td class="nowrap">
              {lastRun === null ? (
                <span class="muted">never</span>
              ) : (
                <a class="row" href={hrefOf(`/runs/${lastRun.id}`)}>
                  <StateBadge state={lastRun.state} /> <Ago at={lastRun.createdAt} />
                </a>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
