import { expectedMessage, hasCode, PawlError } from '@pawl/core';
import { matchesPattern } from './bounded-pattern.ts';
import type {
  GivenParameters,
  ModuleDefinition,
  ModuleParameter,
  ParameterValue,
  ParameterValues,
} from './module-definition.ts';

/** What is wrong with one parameter. */
export interface ParameterFault {
  readonly parameter: string;
  /** The rule that its value breaks. */
  readonly rule: string;
  /** Both, in a sentence. */
  readonly message: string;
}

/** A module can't be run with these parameters. */
export class ModuleParametersError extends PawlError {
  declare readonly code: 'MODULE_PARAMETERS_INVALID';
  readonly moduleId: string;
  readonly faults: readonly ParameterFault[];

  constructor(moduleId: string, faults: readonly ParameterFault[]) {
    super(faults.map(({ message }) => message).join(' '), { code: 'MODULE_PARAMETERS_INVALID' });
    this.moduleId = moduleId;
    this.faults = faults;
  }
}

/** Beyond what people type; patterns are matched against no more. */
const MAX_TEXT_CHARACTERS = 10_000;

export interface CheckOptions {
  /** Whether a required parameter may be missing: it is given later. @default false */
  readonly partial?: boolean;
}

/**
 * The values a module runs with: those given over the defaults, without the hidden ones, which are not even checked.
 * @throws ModuleParametersError that names each parameter, its value and the rule
 */
export function checkParameters(
  { id, parameters }: ModuleDefinition,
  given: GivenParameters,
  { partial = false }: CheckOptions = {},
): ParameterValues {
  const faults: ParameterFault[] = [];
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  for (const name of Object.keys(given)) {
    if (byName.has(name)) continue;
    const known = parameters.length === 0 ? 'it has none' : `known: ${[...byName.keys()].join(', ')}`;
    faults.push({
      parameter: name,
      rule: 'a parameter of the module',
      message: `\`${name}\` is no parameter of module ${id}; ${known}.`,
    });
  }
  const valueOf = ({ name, default: fallback }: ModuleParameter): unknown =>
    Object.hasOwn(given, name) ? given[name] : (fallback ?? undefined);
  const isVisible = ({ visibleWhen }: ModuleParameter): boolean => {
    const controller = visibleWhen === null ? undefined : byName.get(visibleWhen.field);
    if (visibleWhen === null || controller === undefined) return true;
    const shown = valueOf(controller) ?? (controller.type === 'checkbox' ? false : undefined);
    return shown === visibleWhen.equals && isVisible(controller);
  };
  const values: Record<string, ParameterValue> = {};
  for (const parameter of parameters) {
    if (!isVisible(parameter)) continue;
    const value = valueOf(parameter);
    const rule = value === undefined ? missingRule(parameter, partial) : brokenRule(parameter, value);
    if (rule !== undefined) faults.push(faultOf(parameter, rule, value));
    else if (value !== undefined) values[parameter.name] = value as ParameterValue;
  }
  if (faults.length > 0) throw new ModuleParametersError(id, faults);
  return values;
}

/** Of given values those that can be used: the others belong to an earlier form of the definition. */
export function usableParameters(definition: ModuleDefinition, given: GivenParameters): ParameterValues {
  return Object.fromEntries(
    definition.parameters.flatMap((parameter) => {
      const value = Object.hasOwn(given, parameter.name) ? given[parameter.name] : undefined;
      return value === undefined || brokenRule(parameter, value) !== undefined
        ? []
        : [[parameter.name, value as ParameterValue]];
    }),
  );
}

/** The message of a password shows no value. */
function faultOf({ name, type, message }: ModuleParameter, rule: string, value: unknown): ParameterFault {
  if (rule === 'given') return { parameter: name, rule, message: `\`${name}\` is required.` };
  const text =
    type === 'password' ? `Expected \`${name}\` to be ${rule}.` : expectedMessage(name, rule, value);
  return {
    parameter: name,
    rule,
    message: message !== null && rule.startsWith('like ') ? `${text} ${message}` : text,
  };
}

function missingRule({ required, type }: ModuleParameter, partial: boolean): string | undefined {
  // A checkbox that nobody touched says no.
  return required && type !== 'checkbox' && !partial ? 'given' : undefined;
}

function brokenRule(parameter: ModuleParameter, value: unknown): string | undefined {
  switch (parameter.type) {
    case 'number':
      return numberRule(parameter, value);
    case 'checkbox':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'select':
      return parameter.options?.includes(value as string) === true
        ? undefined
        : `one of ${parameter.options?.join(', ')}`;
    case 'text':
    case 'password':
    default:
      return textRule(parameter, value);
  }
}

function numberRule({ min, max }: ModuleParameter, value: unknown): string | undefined {
  let rule = 'a number';
  if (min !== null && max !== null) rule += ` from ${min} to ${max}`;
  else if (min !== null) rule += ` ≥ ${min}`;
  else if (max !== null) rule += ` ≤ ${max}`;
  const isRight =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    value >= (min ?? -Infinity) &&
    value <= (max ?? Infinity);
  return isRight ? undefined : rule;
}

function textRule({ required, pattern }: ModuleParameter, value: unknown): string | undefined {
  if (typeof value !== 'string') return 'a string';
  // The arguments and the environment of a process end at it.
  if (value.includes('\0')) return 'a string without NUL characters';
  if (value.length > MAX_TEXT_CHARACTERS) return `at most ${MAX_TEXT_CHARACTERS} characters`;
  if (value === '') return required ? 'a non-empty string' : undefined;
  if (pattern === null) return undefined;
  try {
    return matchesPattern(pattern, value) ? undefined : `like \`${pattern}\``;
  } catch (error) {
    if (hasCode(error, 'PATTERN_TIMEOUT'))
      return `a text that its pattern can be matched with: ${error.message}`;
    throw error;
  }
}
