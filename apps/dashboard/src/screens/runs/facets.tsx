import { RUN_STATES, type RunState } from '../../api/runs.ts';
import { formatAbsolute } from '../../format/time.ts';
import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { NO_FILTER, queryOf, type RunFilter, type Since } from '../../state/run-filter.ts';
import { Button } from '../../ui/button.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';

const SINCE = [
  { value: '', label: 'Any time' },
  { value: '15m', label: 'Last 15 minutes' },
  { value: '1h', label: 'Last hour' },
  { value: '1d', label: 'Last 24 hours' },
  { value: '7d', label: 'Last 7 days' },
];
const TASKS = ['command', 'python', 'script'];

export interface FacetsProps {
  readonly filter: RunFilter;
  readonly onChange: (filter: RunFilter) => void;
}

/** By what runs can be found. */
export function Facets({ filter, onChange }: FacetsProps) {
  const { api } = useApp();
  const modules = useResource(async (signal) => api.modules.list(signal), []);
  const schedules = useResource(async (signal) => api.schedules.list(signal), []);
  const tasks = [...TASKS, ...(modules.value?.modules ?? []).map(({ id }) => `module:${id}`)];
  const set = (part: Partial<RunFilter>): void => onChange({ ...filter, ...part });

  const toggle = (state: RunState): void => {
    const { states } = filter;
    set({ states: states.includes(state) ? states.filter((other) => other !== state) : [...states, state] });
  };

  return (
    <form class="facets" role="search" aria-label="Runs" onSubmit={(event) => event.preventDefault()}>
      <div class="states" role="group" aria-label="States">
        {RUN_STATES.map((state) => (
          <Button key={state} pressed={filter.states.includes(state)} onClick={() => toggle(state)}>
            <StateBadge state={state} />
          </Button>
        ))}
      </div>
      <TextField
        label="Task"
        value={filter.task}
        onInput={(task) => set({ task })}
        placeholder="any"
        choices={tasks}
        isFilter
      />
      <TextField label="Key" value={filter.key} onInput={(key) => set({ key })} placeholder="any" />
      <TextField
        label="Schedule"
        value={filter.schedule}
        onInput={(schedule) => set({ schedule })}
        placeholder="any"
        choices={(schedules.value ?? []).map(({ id }) => id)}
      />
      <SelectField
        label="Submitted"
        value={filter.since}
        onInput={(since) => set({ since: since as Since | '', createdFrom: '' })}
        options={SINCE}
      />
      {filter.createdFrom !== '' && (
        <Button onClick={() => set({ createdFrom: '' })}>
          from {formatAbsolute(Date.parse(filter.createdFrom))} ×
        </Button>
      )}
      {filter.createdBefore !== '' && (
        <Button onClick={() => set({ createdBefore: '' })}>
          before {formatAbsolute(Date.parse(filter.createdBefore))} ×
        </Button>
      )}
      {queryOf(filter) !== '' && (
        <Button kind="quiet" onClick={() => onChange(NO_FILTER)}>
          Clear
        </Button>
      )}
    </form>
  );
}
