import { useApp } from '../state/app.ts';
import { useResource } from '../state/resource.ts';
import type { RunDraft } from '../state/run-draft.ts';
import { SelectField, TextField } from './field.tsx';

const KINDS = [
  { value: 'command', label: 'Command' },
  { value: 'script', label: 'Script' },
  { value: 'python', label: 'Python program' },
  { value: 'module', label: 'Module' },
];

export interface RunFieldsProps {
  readonly draft: RunDraft;
  readonly onChange: (draft: RunDraft) => void;
}

/** The fields of a request for a run. */
export function RunFields({ draft, onChange }: RunFieldsProps) {
  const set = (part: Partial<RunDraft>): void => onChange({ ...draft, ...part });
  return (
    <div class="fields">
      <SelectField
        label="What to run"
        value={draft.kind}
        onInput={(kind) => set({ kind: kind as RunDraft['kind'] })}
        options={KINDS}
      />
      {draft.kind === 'command' && (
        <TextField
          label="Command"
          value={draft.command}
          onInput={(command) => set({ command })}
          placeholder="du -sh /var/log"
          hint="A program and its arguments. No shell: quotes work, pipes and variables do not."
          isWide
          required
        />
      )}
      {draft.kind === 'script' && (
        <>
          <TextField
            label="Script"
            value={draft.path}
            onInput={(path) => set({ path })}
            placeholder="/srv/report.py"
            hint="A path on the machine of the service."
            required
          />
          <TextField
            label="Arguments"
            value={draft.args}
            onInput={(args) => set({ args })}
            placeholder="--month 5"
          />
        </>
      )}
      {(draft.kind === 'command' || draft.kind === 'script') && (
        <TextField
          label="Folder"
          value={draft.cwd}
          onInput={(cwd) => set({ cwd })}
          placeholder="that of the service"
        />
      )}
      {draft.kind === 'python' && (
        <TextField
          label="Program"
          value={draft.code}
          onInput={(code) => set({ code })}
          rows={6}
          hint="Runs in the sandbox."
          isWide
          required
        />
      )}
      {draft.kind === 'module' && <ModuleFields draft={draft} onChange={onChange} />}
      <TextField
        label="Key"
        value={draft.key}
        onInput={(key) => set({ key })}
        hint="Runs that share a key run one after another."
      />
      <TextField
        label="Time limit in seconds"
        type="number"
        min={0.001}
        value={draft.timeoutSeconds}
        onInput={(timeoutSeconds) => set({ timeoutSeconds })}
        placeholder="that of the service"
      />
      <TextField
        label="Attempts"
        type="number"
        min={1}
        max={100}
        value={draft.maxAttempts}
        onInput={(maxAttempts) => set({ maxAttempts })}
        placeholder="1"
      />
    </div>
  );
}

function ModuleFields({ draft, onChange }: RunFieldsProps) {
  const { api } = useApp();
  const modules = useResource(async (signal) => api.modules.list(signal), []);
  const options = [
    { value: '', label: 'Choose one' },
    ...(modules.value?.modules ?? []).map(({ id, name }) => ({ value: id, label: name })),
  ];
  return (
    <>
      <SelectField
        label="Module"
        value={draft.moduleId}
        onInput={(moduleId) => onChange({ ...draft, moduleId })}
        options={options}
      />
      <TextField
        label="Parameters"
        value={draft.parameters}
        onInput={(parameters) => onChange({ ...draft, parameters })}
        rows={3}
        placeholder={'{"month": 5}'}
        hint="A JSON object; what is left out is as saved for the module."
        isWide
      />
    </>
  );
}
