import type { ModuleParameter, ParameterValues } from '../../api/modules.ts';

/** What a form holds: what was typed or ticked, by name. */
export type FormValues = Readonly<Record<string, string | boolean>>;

/** What a form begins with: what was saved, else the defaults. */
export function initialValues(parameters: readonly ModuleParameter[], saved: ParameterValues): FormValues {
  return Object.fromEntries(
    parameters.map((parameter) => {
      const value = saved[parameter.name] ?? parameter.default;
      if (parameter.type === 'checkbox') return [parameter.name, value === true];
      return [parameter.name, value === null || value === undefined ? '' : String(value)];
    }),
  );
}

/** Those that are to be seen: their condition holds, and the one they depend on is seen itself. */
export function visibleParameters(
  parameters: readonly ModuleParameter[],
  values: FormValues,
): readonly ModuleParameter[] {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  const isVisible = ({ visibleWhen }: ModuleParameter): boolean => {
    if (visibleWhen === null) return true;
    const controller = byName.get(visibleWhen.field);
    return (
      controller !== undefined &&
      String(values[controller.name]) === String(visibleWhen.equals) &&
      isVisible(controller)
    );
  };
  return parameters.filter(isVisible);
}

/** What is wrong with a value, in words for the one who fills in the form; undefined when nothing is. */
export function faultOf(parameter: ModuleParameter, value: string | boolean | undefined): string | undefined {
  const { type, required, min, max, pattern, message } = parameter;
  if (typeof value === 'boolean' || type === 'checkbox') return undefined;
  if (value === undefined || value === '') return required ? 'This is needed.' : undefined;
  if (type === 'number') {
    const number = Number(value);
    if (Number.isNaN(number)) return 'A number is needed.';
    if (min !== null && number < min) return `At least ${min}.`;
    if (max !== null && number > max) return `At most ${max}.`;
  }
  if (pattern !== null && !new RegExp(`^(?:${pattern})$`, 'u').test(value)) {
    return message ?? `This has to match ${pattern}.`;
  }
  return undefined;
}

/** What is sent: the values of the parameters that are seen, without those left empty. */
export function parameterValues(visible: readonly ModuleParameter[], values: FormValues): ParameterValues {
  return Object.fromEntries(
    visible.flatMap(({ name, type }): [string, string | number | boolean][] => {
      const value = values[name];
      if (value === undefined || value === '') return [];
      return [[name, type === 'number' ? Number(value) : value]];
    }),
  );
}
