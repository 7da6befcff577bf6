import { z } from 'zod';

/** What a form may ask for. */
const PARAMETER_TYPES = ['text', 'number', 'select', 'checkbox', 'password'] as const;
type ParameterType = (typeof PARAMETER_TYPES)[number];

export type ParameterValue = string | number | boolean;
export type ParameterValues = Readonly<Record<string, ParameterValue>>;
/** Values that nobody has checked. */
export type GivenParameters = Readonly<Record<string, unknown>>;

/** One parameter of a module. What is absent is `null`. */
export interface ModuleParameter {
  readonly name: string;
  readonly label: string | null;
  readonly type: ParameterType;
  readonly required: boolean;
  readonly default: ParameterValue | null;
  /** Of a select. */
  readonly options: readonly string[] | null;
  /** Of a number. */
  readonly min: number | null;
  readonly max: number | null;
  /** The whole of a text or password must match it, as the `pattern` of an HTML input. */
  readonly pattern: string | null;
  /** What to say when it does not. */
  readonly message: string | null;
  readonly placeholder: string | null;
  readonly warning: string | null;
  /** Hidden, and neither checked nor passed, unless another parameter is visible and has this value. */
  readonly visibleWhen: { readonly field: string; readonly equals: ParameterValue } | null;
}

/** A script with parameters, which people run by a form. */
export interface ModuleDefinition {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  /** An absolute path. */
  readonly script: string;
  /** `null`: by the extension of the script. */
  readonly interpreter: string | null;
  /** How long a run may take, in milliseconds; `null` is no limit. */
  readonly timeoutMs: number | null;
  readonly parameters: readonly ModuleParameter[];
}

/** More than any form has. */
const MAX_PARAMETERS = 100;
const MAX_OPTIONS = 1_000;
const MAX_PATTERN_CHARACTERS = 1_000;

/** Names that mean something to objects. */
const FORBIDDEN_NAMES = new Set(['constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty']);

/** What may name a module in an address and in the name of a file. */
const MODULE_ID: RegExp = /^[a-z0-9][a-z0-9-]{0,63}$/i;
const NAME = /^[a-z]\w*(?:-\w+)*$/i;

const text = (max: number): z.ZodString => z.string().max(max);
const orNull = <T extends z.ZodType>(schema: T): z.ZodDefault<z.ZodNullable<T>> =>
  schema.nullable().default(null);
const value = z.union([z.string(), z.number(), z.boolean()], { error: 'a string, a number, true or false' });

const parameter: z.ZodType<ModuleParameter> = z
  .strictObject({
    name: z
      .string()
      .max(64)
      .regex(NAME, 'a letter, then letters, digits, `_` and single `-`')
      .refine((name) => !FORBIDDEN_NAMES.has(name), 'a name that objects have no use for'),
    type: z.enum(PARAMETER_TYPES),
    label: orNull(text(200)),
    required: z.boolean().default(false),
    default: orNull(value),
    options: orNull(z.array(text(1_000)).min(1).max(MAX_OPTIONS)),
    min: orNull(z.number()),
    max: orNull(z.number()),
    pattern: orNull(text(MAX_PATTERN_CHARACTERS).refine(isPattern, 'a regular expression')),
    message: orNull(text(500)),
    placeholder: orNull(text(200)),
    warning: orNull(text(1_000)),
    visibleWhen: orNull(z.strictObject({ field: text(64), equals: value })),
  })
  .superRefine((given, context) => {
    const refuse = (field: keyof ModuleParameter, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    const only = (field: keyof ModuleParameter, types: readonly ParameterType[]): void => {
      if (given[field] !== null && !types.includes(given.type)) {
        refuse(field, `absent where \`type\` is ${given.type}`);
      }
    };
    only('options', ['select']);
    only('min', ['number']);
    only('max', ['number']);
    only('pattern', ['text', 'password']);
    if (given.type === 'password' && given.default !== null) {
      refuse('default', 'absent where `type` is password: a definition is no place for secrets');
    }
    if (given.message !== null && given.pattern === null) refuse('message', 'absent without `pattern`');
    if (given.type === 'select' && given.options === null) refuse('options', 'given where `type` is select');
    if (given.min !== null && given.max !== null && given.min > given.max) {
      refuse('min', `at most \`max\` (${given.max})`);
    }
  });

/** A definition as it is written down. */
const definition = z
  .strictObject({
    id: z.string().regex(MODULE_ID, 'letters, digits and `-`, at most 64, beginning with a letter or digit'),
    name: text(200).min(1),
    description: orNull(text(2_000)),
    script: text(4_096).min(1),
    interpreter: orNull(text(4_096).min(1)),
    timeoutMs: orNull(z.int().min(1)),
    parameters: z.array(parameter).max(MAX_PARAMETERS).default([]),
  })
  .superRefine(({ parameters }, context) => {
    const refuse = (path: readonly (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path: ['parameters', ...path], message });
    const byName = new Map(parameters.map((each) => [each.name, each]));
    for (const [index, { name, visibleWhen }] of parameters.entries()) {
      const first = parameters.findIndex((other) => environmentName(other.name) === environmentName(name));
      if (first < index)
        refuse([index, 'name'], 'a name that no other parameter has, but for `-`, `_` and case');
      if (visibleWhen === null) continue;
      const controller = byName.get(visibleWhen.field);
      if (controller === undefined || controller.name === name) {
        refuse([index, 'visibleWhen', 'field'], 'the name of another parameter');
      } else if (controller.type === 'password') {
        refuse([index, 'visibleWhen', 'field'], 'the name of a parameter that is no password');
      } else if (hidesItself(name, byName)) {
        refuse([index, 'visibleWhen', 'field'], 'a parameter that does not depend on this one');
      }
    }
  });

/** A module as its file has it: the script is relative to that file. */
export type WrittenDefinition = z.infer<typeof definition>;
export const definitionSchema: z.ZodType<WrittenDefinition> = definition;

function hidesItself(name: string, byName: ReadonlyMap<string, ModuleParameter>): boolean {
  const seen = new Set<string>();
  for (let at: string | undefined = name; at !== undefined; at = byName.get(at)?.visibleWhen?.field) {
    if (seen.has(at)) return at === name;
    seen.add(at);
  }
  return false;
}

/** How a password reaches the script: `apiKey` and `api-key` are `PAWL_PARAM_API_KEY`. */
export function environmentName(name: string): string {
  const words = name.replaceAll(/([a-z\d])([A-Z])/g, '$1_$2').replaceAll('-', '_');
  return `PAWL_PARAM_${words.toUpperCase()}`;
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
