import { useState } from 'preact/hooks';
import { ApiError } from '../../api/http.ts';
import type { ModuleConfig, ModuleParameter } from '../../api/modules.ts';
import { useApp } from '../../state/app.ts';
import { Button } from '../../ui/button.tsx';
import { ParameterField } from './parameter-field.tsx';
import { faultOf, initialValues, parameterValues, visibleParameters } from './visible-parameters.ts';

export interface ModuleFormProps {
  readonly id: string;
  readonly name: string;
  readonly parameters: readonly ModuleParameter[];
  readonly config: ModuleConfig;
  /** Told that the saved values are others now. */
  readonly onSaved: () => void;
}

/** The form of a module: what is asked for follows what was answered. */
export function ModuleForm({ id, name, parameters, config, onSaved }: ModuleFormProps) {
  const { api, dialogs, router, toasts } = useApp();
  const [values, setValues] = useState(() => initialValues(parameters, config.parameters));
  const [refused, setRefused] = useState<Readonly<Record<string, string>>>({});
  const [isTried, setTried] = useState(false);
  const visible = visibleParameters(parameters, values);
  const faults = new Map(
    visible.map((parameter) => [parameter.name, faultOf(parameter, values[parameter.name])]),
  );

  /** Does it unless something is wrong, and puts what the service refuses beside its field. */
  async function attempt(deed: () => Promise<void>): Promise<void> {
    setTried(true);
    setRefused({});
    if ([...faults.values()].some((fault) => fault !== undefined)) {
      toasts.error(new Error('Some values are not right yet: see the form.'));
      return;
    }
    try {
      await deed();
    } catch (error) {
      if (error instanceof ApiError) {
        const entries = error.faults.map(({ field, message }) => [field.split('.').at(-1) ?? field, message]);
        setRefused(Object.fromEntries(entries) as Record<string, string>);
      }
      throw error;
    }
  }

  const run = async (): Promise<void> =>
    attempt(async () => {
      const { id: runId } = await api.modules.run(id, parameterValues(visible, values));
      toasts.done(`Submitted ${name}.`);
      router.go(`/runs/${runId}`);
    });

  const save = async (): Promise<void> =>
    attempt(async () => {
      const kept = visible.filter(({ type }) => type !== 'password');
      await api.modules.saveConfig(id, parameterValues(kept, values));
      toasts.done(`Saved these values for ${name}.`);
      onSaved();
    });

  async function clear(): Promise<void> {
    const answer = await dialogs.ask({
      title: 'Forget the saved values?',
      text: `The form of ${name} begins with its defaults again.`,
      confirm: 'Forget them',
    });
    if (answer === undefined) return;
    await api.modules.deleteConfig(id);
    setValues(initialValues(parameters, {}));
    toasts.done(`Forgot the saved values of ${name}.`);
    onSaved();
  }

  return (
    <form
      class="stack"
      noValidate
      aria-label={name}
      onSubmit={(event) => {
        event.preventDefault();
        run().catch(toasts.error);
      }}
    >
      <div class="fields is-mixed">
        {visible.map((parameter) => (
          <ParameterField
            key={parameter.name}
            parameter={parameter}
            value={values[parameter.name] ?? ''}
            wrong={refused[parameter.name] ?? (isTried ? faults.get(parameter.name) : undefined)}
            onInput={(value) => setValues({ ...values, [parameter.name]: value })}
          />
        ))}
      </div>
      {parameters.length === 0 && <p class="muted">It has none.</p>}
      <div class="row">
        <button type="submit" class="button primary" data-action="module.run">
          Run
        </button>
        {parameters.length > 0 && (
          <Button data-action="module.save-config" onClick={save}>
            Save these values
          </Button>
        )}
        {config.updatedAt !== null && (
          <Button data-action="module.clear-config" kind="danger" onClick={clear}>
            Forget the saved ones
          </Button>
        )}
      </div>
    </form>
  );
}
