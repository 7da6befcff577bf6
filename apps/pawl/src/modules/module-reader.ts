import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { expectedMessage, showValue } from '@pawl/core';
import { z } from 'zod';
import { HttpError } from '../http-errors.ts';
import { validate } from '../request-validation.ts';
import { definitionSchema, type ModuleDefinition, type ParameterValue } from './module-definition.ts';
import { usableParameters } from './parameter-values.ts';

/** Why a definition can't be used. */
export interface DefinitionFault {
  readonly file: string;
  /** Where in the file; `file` for the file as a whole. */
  readonly field: string;
  /** The value there, as far as it can be shown. */
  readonly value: string | null;
  /** Field, value and rule in a sentence. */
  readonly message: string;
}

export interface ModuleCatalogue {
  /** In the order of their ids. */
  readonly modules: readonly ModuleDefinition[];
  /** Of the definitions that are left out. */
  readonly faults: readonly DefinitionFault[];
}

const list = z.strictObject({ modules: z.array(z.unknown()) });

/** Reads a file `<any name>.module.json` with one definition, or any other with a list of them. */
export async function readDefinitions(file: string): Promise<ModuleCatalogue> {
  const whole = (value: string | null, message: string): ModuleCatalogue => ({
    modules: [],
    faults: [{ file, field: 'file', value, message }],
  });
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    return whole(null, `Expected a JSON file: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (file.endsWith('.module.json')) return readDefinition(file, content, '');
  const written = readAs(list, file, content, '');
  if (Array.isArray(written)) return { modules: [], faults: written };
  const read = written.modules.map((each, index) => readDefinition(file, each, `modules[${index}]`));
  return { modules: read.flatMap(({ modules }) => modules), faults: read.flatMap(({ faults }) => faults) };
}

function readDefinition(file: string, content: unknown, at: string): ModuleCatalogue {
  const written = readAs(definitionSchema, file, content, at);
  if (Array.isArray(written)) return { modules: [], faults: written };
  const module: ModuleDefinition = { ...written, script: resolve(dirname(file), written.script) };
  const faults = wrongValues(file, module, at);
  return faults.length > 0 ? { modules: [], faults } : { modules: [module], faults: [] };
}

/** What a schema makes of it, or what is wrong with it. */
function readAs<T extends object>(
  schema: z.ZodType<T>,
  file: string,
  content: unknown,
  at: string,
): T | DefinitionFault[] {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    const field = at === '' ? 'file' : at;
    const message = expectedMessage(field, 'a JSON object', content);
    return [{ file, field, value: showValue(content), message }];
  }
  try {
    return validate(schema, content);
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return error.faults.map(({ field, message }) => ({
      file,
      field: at === '' ? field : `${at}.${field}`,
      value: shownAt(content, field),
      message: message.replace('is not a field of this request', 'is not a field of a module'),
    }));
  }
}

/** Defaults and the values of conditions keep the rules of their parameters. */
function wrongValues(file: string, module: ModuleDefinition, at: string): readonly DefinitionFault[] {
  const prefix = at === '' ? '' : `${at}.`;
  const check = (name: string, value: ParameterValue, field: string): readonly DefinitionFault[] => {
    if (Object.hasOwn(usableParameters(module, { [name]: value }), name)) return [];
    const message = expectedMessage(field, `a value that keeps the rules of \`${name}\``, value);
    return [{ file, field, value: showValue(value), message }];
  };
  return module.parameters.flatMap(({ name, default: fallback, visibleWhen }, index) => [
    ...(fallback === null ? [] : check(name, fallback, `${prefix}parameters[${index}].default`)),
    ...(visibleWhen === null
      ? []
      : check(visibleWhen.field, visibleWhen.equals, `${prefix}parameters[${index}].visibleWhen.equals`)),
  ]);
}

/** The value at `parameters[0].min`; nothing of a password. */
function shownAt(content: unknown, field: string): string | null {
  const keys = field.match(/[^.[\]]+/g) ?? [];
  const owner = valueAt(content, keys.slice(0, -1));
  const value = valueAt(content, keys);
  return value === undefined || valueAt(owner, ['type']) === 'password' ? null : showValue(value);
}

function valueAt(content: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (part, key) =>
      typeof part === 'object' && part !== null ? (part as Record<string, unknown>)[key] : undefined,
    content,
  );
}
