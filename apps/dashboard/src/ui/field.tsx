import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import './field.css';

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  /** What is wrong with the value. */
  readonly wrong?: string | undefined;
  readonly required?: boolean;
  /** Takes the whole width of the form. */
  readonly isWide?: boolean;
}

export interface TextFieldProps extends FieldProps {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: 'text' | 'number' | 'password' | 'datetime-local';
  readonly placeholder?: string | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Makes it a text of so many lines. */
  readonly rows?: number;
  /** What it may be, to choose from while typing. */
  readonly choices?: readonly string[];
  /** Whether `/` jumps to it. */
  readonly isFilter?: boolean;
}

export function TextField(props: TextFieldProps) {
  const { value, onInput, type = 'text', placeholder, min, max, rows, choices, isFilter } = props;
  const id = useId();
  const attributes = {
    id,
    class: 'input',
    value,
    placeholder,
    required: props.required,
    'aria-invalid': props.wrong === undefined ? undefined : ('true' as const),
    'aria-describedby': describedBy(id, props),
    'data-filter': isFilter === true ? '' : undefined,
    onInput: (event: { currentTarget: { value: string } }) => onInput(event.currentTarget.value),
  };
  return (
    <Labelled id={id} {...props}>
      {rows === undefined ? (
        <input
          {...attributes}
          {...({ type, min, max, step: type === 'number' ? 'any' : undefined } as object)}
          autoComplete="off"
          list={choices === undefined ? undefined : `${id}-choices`}
        />
      ) : (
        <textarea {...attributes} rows={rows} spellcheck={false} />
      )}
      {choices !== undefined && (
        <datalist id={`${id}-choices`}>
          {choices.map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
    </Labelled>
  );
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface SelectFieldProps extends FieldProps {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly options: readonly Choice[];
}

export function SelectField(props: SelectFieldProps) {
  const id = useId();
  return (
    <Labelled id={id} {...props}>
      <select
        id={id}
        class="input"
        value={props.value}
        aria-describedby={describedBy(id, props)}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      >
        {props.options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

export function CheckField({
  label,
  hint,
  checked,
  onInput,
}: Pick<FieldProps, 'label' | 'hint'> & { checked: boolean; onInput: (checked: boolean) => void }) {
  return (
    <div class="field">
      <label class="check">
        <input type="checkbox" checked={checked} onInput={(event) => onInput(event.currentTarget.checked)} />
        {label}
      </label>
      {hint !== undefined && <span class="hint">{hint}</span>}
    </div>
  );
}

function Labelled({
  id,
  label,
  hint,
  wrong,
  required,
  isWide,
  children,
}: FieldProps & { id: string; children: ComponentChildren }) {
  return (
    <div class={`field ${isWide === true ? 'wide' : ''}`}>
      <label for={id}>
        {label}
        {required === true && <span class="muted"> (needed)</span>}
      </label>
      {children}
      {(wrong ?? hint) !== undefined && (
        <span id={`${id}-more`} class={wrong === undefined ? 'hint' : 'wrong'}>
          {wrong ?? hint}
        </span>
      )}
    </div>
  );
}

function describedBy(id: string, { hint, wrong }: FieldProps): string | undefined {
  return hint === undefined && wrong === undefined ? undefined : `${id}-more`;
}
