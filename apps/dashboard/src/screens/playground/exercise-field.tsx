import { TextField } from '../../ui/field.tsx';

/** Those that come with the service; another folder may have others. */
const SAMPLES = ['greeting', 'shopping-cart', 'sum-of-evens'];

export interface ExerciseFieldProps {
  readonly value: string;
  readonly onInput: (id: string) => void;
}

/** Chooses an exercise, whose tests then count. */
export function ExerciseField({ value, onInput }: ExerciseFieldProps) {
  return (
    <TextField
      label="Exercise"
      value={value}
      onInput={onInput}
      placeholder="none"
      choices={SAMPLES}
      hint="Its tests are run in place of yours."
    />
  );
}
