import { access } from 'node:fs/promises';
import { type Logger, PawlError } from '@pawl/core';
import type { ModuleDefinition } from './module-definition.ts';
import { findModuleFiles, type ModuleFile } from './module-files.ts';
import { type DefinitionFault, type ModuleCatalogue, readDefinitions } from './module-reader.ts';

/** The modules of this service. The files are looked at each time, and read again when they have changed. */
export interface ModuleRegistry {
  catalogue(): Promise<ModuleCatalogue>;
  /** @throws ModuleNotFoundError */
  get(id: string): Promise<ModuleDefinition>;
  /** As it was when the files were last looked at. */
  nameOf(id: string): string | undefined;
}

/** No module has this id. */
class ModuleNotFoundError extends PawlError {
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
    let found: readonly ModuleFile[];
    try {
      found = await findModuleFiles(path);
    } catch (error) {
      const message = `PAWL_MODULES can't be read: ${error instanceof Error ? error.message : String(error)}`;
      return { modules: [], faults: [{ file: path, field: 'file', value: null, message }] };
    }
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
        const problem = modules.has(module.id.toLowerCase())
          ? { field: 'id', value: module.id, rule: 'an id that no other module has' }
          : await scriptProblem(module.script);
        if (problem === undefined) modules.set(module.id.toLowerCase(), module);
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
      if (module !== undefined) return module;
      throw new ModuleNotFoundError(
        id,
        modules.map((each) => each.id),
      );
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
