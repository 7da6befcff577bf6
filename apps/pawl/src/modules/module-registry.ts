import { access, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { expectedMessage, type Logger, PawlError, showValue } from '@pawl/core';
import { z } from 'zod';
import { HttpError } from '../http-errors.ts';
import { validate } from '../request-validation.ts';
import { definitionSchema, type ModuleDefinition, type ParameterValue } from './module-definition.ts';
import { findModuleFiles, type ModuleFile } from './module-files.ts';
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

/** The modules of this service. The files are looked at each time, and read again when they have changed. */
export interface ModuleRegistry {
  catalogue(): Promise<ModuleCatalogue>;
  /** @throws ModuleNotFoundError */
  get(id: string): Promise<ModuleDefinition>;
  /** As it was when the files were last looked at. */
  nameOf(id: string): string | undefined;
}

/** No module has this id. */
export class ModuleNotFoundError extends PawlError {
  declare readonly code: 'MODULE_NOT_FOUND';
  readonly moduleId: string;

  constructor(moduleId: string, known: readonly string[]) {
    const list =
      known.length === 0
        ? 'There are none; PAWL_MODULES names their file or folder'
        : `Known: ${known.join(', ')}`;
    super(`There is no module ${JSON.stringify(moduleId)}. ${list}.`, { code: 'MODULE_NOT_FOUND' });
    this.moduleId = moduleId;
  }
}

export interface ModuleRegistryOptions {
  /** A JSON file `{"modules": […]}`, or a folder with a file `<any name>.module.json` for each; absent: no modules. */
  readonly path: string | undefined;
  /** Told of definitions that can't be used, once. */
  readonly logger: Logger;
}

/** What a file holds that was read. */
interface ReadFile extends ModuleCatalogue {
  readonly version: string;
}

const list = z.strictObject({ modules: z.array(z.unknown(), { error: 'a list' }) }, { error: 'an object' });

export function createModuleRegistry({ path, logger }: ModuleRegistryOptions): ModuleRegistry {
  const files = new Map<string, ReadFile>();

  async function readChanged({ path: file, version }: ModuleFile): Promise<ReadFile> {
    const known = files.get(file);
    if (known?.version === version) return known;
    const read = { version, ...(await readDefinitions(file)) };
    files.set(file, read);
    for (const fault of read.faults) logger.warn({ ...fault }, `${fault.file}: ${fault.message}`);
    return read;
  }

  async function catalogue(): Promise<ModuleCatalogue> {
    if (path === undefined) return { modules: [], faults: [] };
    const found = await findModuleFiles(path);
    if (found.length === 0) {
      const message = `There is no file \`*.module.json\` in PAWL_MODULES, and no file or folder of that name.`;
      return { modules: [], faults: [{ file: path, field: 'file', value: null, message }] };
    }
    for (const file of files.keys()) if (!found.some((each) => each.path === file)) files.delete(file);
    const modules = new Map<string, ModuleDefinition>();
    const faults: DefinitionFault[] = [];
    for (const file of found) {
      const read = await readChanged(file);
      faults.push(...read.faults);
      for (const module of read.modules) {
        const problem = modules.has(module.id)
          ? { field: 'id', value: module.id, rule: 'an id that no other module has' }
          : await scriptProblem(module.script);
        if (problem === undefined) modules.set(module.id, module);
        else {
          const { field, value, rule } = problem;
          const message = `Expected \`${field}\` of module ${module.id} to be ${rule}, got \`${value}\`.`;
          faults.push({ file: file.path, field, value, message });
        }
      }
    }
    return { modules: [...modules.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)), faults };
  }

  return {
    catalogue,
    nameOf: (id) =>
      [...files.values()].flatMap(({ modules }) => modules).find((module) => module.id === id)?.name,
    async get(id) {
      const { modules } = await catalogue();
      const module = modules.find((each) => each.id === id);
      if (module === undefined)
        throw new ModuleNotFoundError(
          id,
          modules.map((each) => each.id),
        );
      return module;
    },
  };
}

async function scriptProblem(
  script: string,
): Promise<{ readonly field: string; readonly value: string; readonly rule: string } | undefined> {
  try {
    await access(script);
    return undefined;
  } catch {
    return { field: 'script', value: script, rule: 'a file that exists' };
  }
}

async function readDefinitions(file: string): Promise<ModuleCatalogue> {
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
      message,
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

/** The value at `parameters[0].min`. */
function shownAt(content: unknown, field: string): string | null {
  const keys = field.match(/[^.[\]]+/g) ?? [];
  const value = keys.reduce<unknown>(
    (part, key) =>
      typeof part === 'object' && part !== null ? (part as Record<string, unknown>)[key] : undefined,
    content,
  );
  return value === undefined ? null : showValue(value);
}
