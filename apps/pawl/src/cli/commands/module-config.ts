import { type Command, Option } from 'commander';
import type { z } from 'zod';
import type { moduleConfig, ModuleView } from '../../api/module-schemas.ts';
import { type Client, route } from '../client.ts';
import { toTypedParameters } from '../module-parameters.ts';
import { note, print, printJson } from '../output.ts';
import { collectPairs } from '../run-request.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { formatFields } from '../table.ts';
import { terminalOf } from '../terminal.ts';

interface ModuleConfigOptions extends ServiceOptions {
  readonly set?: Readonly<Record<string, string>>;
  readonly clear?: boolean;
}

type ModuleConfig = z.infer<typeof moduleConfig>;

export function define(command: Command): void {
  command
    .argument('<module>', 'the id of a module')
    .option(
      '--set <name=value>',
      'save a parameter beside those that are saved; may be repeated',
      collectPairs,
    )
    .addOption(new Option('--clear', 'forget all that is saved').conflicts('set'));
  withExamples(
    serviceCommand(command),
    'pawl module config report',
    'pawl module config report --set month=5 --set verbose=true',
    'pawl module config report --clear',
  ).action(async (id: string, options: ModuleConfigOptions) => {
    const client = clientOf(options);
    const path = route`/v1/modules/${id}/config`;
    if (options.clear === true) await client.send('DELETE', path);
    const before = await client.get<ModuleConfig>(path);
    const config = options.set === undefined ? before : await save(client, id, before, options.set);
    if (options.json === true) printJson(config);
    else if (Object.keys(config.parameters).length === 0) note('nothing is saved, and there are no defaults');
    else {
      const fields = Object.entries(config.parameters).map(([name, value]) => [name, String(value)] as const);
      print(...formatFields(fields, terminalOf(process.stdout)));
    }
  });
}

/** Saves parameters beside those that were. A default that nobody chose is not saved: it may change. */
async function save(
  client: Client,
  id: string,
  { parameters }: ModuleConfig,
  typed: Readonly<Record<string, string>>,
): Promise<ModuleConfig> {
  const module = await client.get<ModuleView>(route`/v1/modules/${id}`);
  const isDefault = ([name, value]: readonly [string, unknown]): boolean =>
    module.parameters.some((parameter) => parameter.name === name && parameter.default === value);
  const chosen = Object.entries(parameters).filter((parameter) => !isDefault(parameter));
  return client.send<ModuleConfig>('PUT', route`/v1/modules/${id}/config`, {
    parameters: { ...Object.fromEntries(chosen), ...toTypedParameters(module, typed) },
  });
}
