import type { ModuleParameter } from '../../api/modules.ts';
import { words } from '../../format/words.ts';
import { CheckField, SelectField, TextField } from '../../ui/field.tsx';

export interface ParameterFieldProps {
  readonly parameter: ModuleParameter;
  readonly value: string | boolean;
  readonly wrong: string | undefined;
  readonly onInput: (value: string | boolean) => void;
}

/** The field of one parameter. */
export function ParameterField({ parameter, value, wrong, onInput }: ParameterFieldProps) {
  const { name, type, required, options, min, max, placeholder, warning } = parameter;
  const label = parameter.label ?? words(name);
  const hint = warning ?? (type === 'password' ? 'Given with each run, never saved.' : undefined);
  if (type === 'checkbox') {
    const more = hint === undefined ? {} : { hint };
    return <CheckField label={label} checked={value === true} onInput={onInput} {...more} />;
  }
  if (type === 'select') {
    const choices = (options ?? []).map((option) => ({ value: option, label: option }));
    return (
      <SelectField
        label={label}
        hint={hint}
        wrong={wrong}
        required={required}
        value={String(value)}
        onInput={onInput}
        options={[{ value: '', label: 'Choose one' }, ...choices]}
      />
    );
  }
  return (
    <TextField
      label={label}
      hint={hint}
      wrong={wrong}
      required={required}
      type={type}
      min={min ?? undefined}
      max={max ?? undefined}
      placeholder={placeholder ?? undefined}
      value={String(value)}
      onInput={onInput}
    />
  );
}
