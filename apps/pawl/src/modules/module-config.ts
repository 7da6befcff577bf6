import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, hasCode, type Logger } from '@pawl/core';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { GivenParameters, ModuleDefinition, ParameterValues } from './module-definition.ts';
import { checkParameters, ModuleParametersError, usableParameters } from './parameter-values.ts';

/** What somebody chose for the next runs of a module. */
export interface SavedConfig {
  readonly parameters: ParameterValues;
  /** Milliseconds since the epoch; undefined when nothing is saved. */
  readonly updatedAt: number | undefined;
}

/** The saved parameters of modules: a file each, which is whole at any moment. */
export interface ModuleConfigs {
  /** Those that the definition still allows. A file that can't be read counts as none, and is logged. */
  read(module: ModuleDefinition): Promise<SavedConfig>;
  /** Replaces what was saved. @throws ModuleParametersError, also for a password: those are given with each run */
  save(module: ModuleDefinition, parameters: GivenParameters): Promise<SavedConfig>;
  /** @returns whether there was one */
  remove(id: string): Promise<boolean>;
}

const saved = z.strictObject({
  moduleId: z.string(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  updatedAt: z.iso.datetime(),
});

export interface ModuleConfigsOptions {
  /** Made when it is first needed. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createModuleConfigs({ folder, clock, logger }: ModuleConfigsOptions): ModuleConfigs {
  // Ids differ by more than case to people, and not to every file system.
  const fileOf = (id: string): string => join(folder, `${id.toLowerCase()}.json`);

  return {
    async read(module) {
      const file = fileOf(module.id);
      try {
        const { parameters, updatedAt } = saved.parse(JSON.parse(await readFile(file, 'utf8')));
        return { parameters: usableParameters(module, parameters), updatedAt: Date.parse(updatedAt) };
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) logger.warn({ err: error, file }, `${file} can't be used.`);
        return { parameters: {}, updatedAt: undefined };
      }
    },
    async save(module, parameters) {
      const secrets = module.parameters.filter(
        ({ name, type }) => type === 'password' && Object.hasOwn(parameters, name),
      );
      if (secrets.length > 0) {
        const rule = 'given with each run, not saved: it is a password';
        throw new ModuleParametersError(
          module.id,
          secrets.map(({ name }) => ({
            parameter: name,
            rule,
            message: `Expected \`${name}\` to be ${rule}.`,
          })),
        );
      }
      checkParameters(module, parameters, { partial: true });
      const values = usableParameters(module, parameters);
      const updatedAt = clock.wallTime();
      await mkdir(folder, { recursive: true });
      const content = {
        moduleId: module.id,
        parameters: values,
        updatedAt: new Date(updatedAt).toISOString(),
      };
      await writeFileAtomic(fileOf(module.id), `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
      return { parameters: values, updatedAt };
    },
    async remove(id) {
      try {
        await rm(fileOf(id));
        return true;
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return false;
        throw error;
      }
    },
  };
}
