import type { Exercise } from '../../api/python.ts';
import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { SelectField } from '../../ui/field.tsx';

export interface ExerciseFieldProps {
  /** The id of the exercise; empty for none. */
  readonly value: string;
  readonly onInput: (id: string, exercise?: Exercise) => void;
}

/** Chooses an exercise, whose tests then count. */
export function ExerciseField({ value, onInput }: ExerciseFieldProps) {
  const { api, toasts } = useApp();
  const exercises = useResource(async (signal) => api.python.exercises(signal), []);
  const known = exercises.value ?? [];
  const chosen = known.find(({ id }) => id === value);

  async function choose(id: string): Promise<void> {
    if (id === '') {
      onInput('');
      return;
    }
    try {
      // As it is now: a teacher may just have changed it.
      onInput(id, await api.python.exercise(id));
    } catch (error) {
      toasts.error(error);
    }
  }

  const options = [
    { value: '', label: 'None' },
    ...known.map(({ id, title }) => ({ value: id, label: title })),
  ];
  return (
    <div data-action={value === '' ? 'exercise.list' : 'exercise.show'}>
      <SelectField
        label="Exercise"
        value={chosen === undefined ? '' : value}
        onInput={(id) => void choose(id)}
        options={options}
        hint={chosen?.description ?? 'Its tests are run in place of yours.'}
      />
    </div>
  );
}
