import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { hrefOf } from '../../state/router.ts';
import { Pending } from '../../ui/empty.tsx';
import { Panel, Screen } from '../../ui/panel.tsx';
import { ModuleForm } from './module-form.tsx';

/** One module: its form. */
export function ModuleScreen({ id }: { id: string }) {
  const { api } = useApp();
  const module = useResource(async (signal) => api.modules.get(id, signal), [id]);
  const config = useResource(async (signal) => api.modules.config(id, signal), [id]);
  if (module.value === undefined || config.value === undefined) {
    return (
      <Screen name="Module" title={id}>
        <Pending resource={module.error === undefined ? config : module} />
      </Screen>
    );
  }
  const { name, description, script, parameters } = module.value;
  return (
    <Screen
      name={name}
      tools={
        <a class="button" href={hrefOf(`/runs?task=${encodeURIComponent(`module:${id}`)}`)}>
          Its runs
        </a>
      }
    >
      {description !== null && <p>{description}</p>}
      <p class="muted small" data-action="module.show">
        Runs <code>{script}</code>
      </p>
      <Panel title="Parameters" count={parameters.length} data-action="module.show-config">
        <ModuleForm
          id={id}
          name={name}
          parameters={parameters}
          config={config.value}
          onSaved={config.reload}
        />
      </Panel>
    </Screen>
  );
}
