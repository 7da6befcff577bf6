import { extname } from 'node:path';
import { moduleTask, type OutputLogs, type RunMode } from '@pawl/tasks';
import { cutTitle } from '../runs/run-title.ts';
import type { RunKind } from '../runs/run-kind.ts';
import { environmentName, type GivenParameters } from './module-definition.ts';
import type { ModuleDefinition, ParameterValues } from './module-definition.ts';
import type { ModuleRegistry } from './module-registry.ts';
import { checkParameters, ModuleParametersError } from './parameter-values.ts';
import type { PasswordSeal } from './password-seal.ts';

/** A request for a module, and what is stored of it: then all parameters in force, with passwords sealed. */
export interface ModuleRequest {
  readonly id: string;
  readonly parameters?: GivenParameters | undefined;
}

/** Modules: scripts whose parameters are checked when a run is asked for, and again when it starts. */
export interface ModuleKind extends RunKind<ModuleRequest> {
  /**
   * Checks the parameters and gives all that are in force, with passwords sealed: what is to be stored.
   * @throws ModuleNotFoundError, ModuleParametersError
   */
  checked(request: ModuleRequest): Promise<Required<ModuleRequest>>;
}

export interface ModuleKindOptions {
  readonly registry: Pick<ModuleRegistry, 'get' | 'nameOf'>;
  readonly seal: PasswordSeal;
  readonly logs: OutputLogs;
  readonly mode: RunMode;
  /** The interpreter of `.py` files. @default the first that works, of `python3` and `/usr/bin/python3` */
  readonly python?: string | undefined;
}

export function createModuleKind({ registry, seal, logs, mode, python }: ModuleKindOptions): ModuleKind {
  const runScript = moduleTask({ logs });

  function openPasswords(module: ModuleDefinition, given: GivenParameters): GivenParameters {
    const opened = { ...given };
    for (const [name, text] of passwordsOf(module, given)) {
      if (!seal.isSealed(text)) continue;
      const password = seal.open(text, contextOf(module, name));
      if (password === undefined) {
        const rule = 'the password itself: this one was sealed elsewhere';
        const message = `Expected \`${name}\` to be ${rule}.`;
        throw new ModuleParametersError(module.id, [{ parameter: name, rule, message }]);
      }
      opened[name] = password;
    }
    return opened;
  }

  function sealPasswords(module: ModuleDefinition, values: ParameterValues): ParameterValues {
    const sealed = passwordsOf(module, values).map(
      ([name, password]) => [name, seal.seal(password, contextOf(module, name))] as const,
    );
    return { ...values, ...Object.fromEntries(sealed) };
  }

  async function checked({ id, parameters = {} }: ModuleRequest): Promise<Required<ModuleRequest>> {
    const module = await registry.get(id);
    const values = checkParameters(module, openPasswords(module, parameters));
    return { id, parameters: sealPasswords(module, values) };
  }

  return {
    checked,
    prepare: async (request) => ({ task: `module:${request.id}`, input: await checked(request) }),
    title: ({ id }) => cutTitle(registry.nameOf(id) ?? id),
    async run({ id, parameters = {} }, context) {
      const module = await registry.get(id);
      // The definition may have changed since the run was asked for.
      const values = checkParameters(module, openPasswords(module, parameters));
      const isPython = extname(module.script).toLowerCase() === '.py';
      return runScript(
        {
          scriptPath: module.script,
          ...commandOf(module, values),
          interpreter: module.interpreter ?? (isPython ? python : undefined),
          timeoutMs: module.timeoutMs ?? undefined,
          mode,
        },
        context,
      );
    },
  };
}

/** Binds a sealed password to its parameter: elsewhere it can't be opened. */
function contextOf({ id }: ModuleDefinition, name: string): string {
  return `${id}.${name}`;
}

function passwordsOf(
  { parameters }: ModuleDefinition,
  values: GivenParameters,
): readonly (readonly [name: string, text: string])[] {
  return parameters.flatMap(({ name, type }): [string, string][] => {
    const value = type === 'password' && Object.hasOwn(values, name) ? values[name] : undefined;
    return typeof value === 'string' ? [[name, value]] : [];
  });
}

/**
 * How values reach the script: `--name=value` in the order of the definition, `--name` for a checkbox that is set, and
 * passwords in the environment, where other users of the machine don't see them.
 */
function commandOf(
  { parameters }: ModuleDefinition,
  values: ParameterValues,
): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const args: string[] = [];
  const env: Record<string, string> = {};
  for (const { name, type } of parameters) {
    const value = values[name];
    if (value === undefined || value === false) continue;
    if (type === 'password') env[environmentName(name)] = String(value);
    else args.push(type === 'checkbox' ? `--${name}` : `--${name}=${value}`);
  }
  return { args, env };
}
