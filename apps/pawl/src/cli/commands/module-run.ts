import type { Command } from 'commander';
import type { RunView } from '../../api/run-schemas.ts';
import { route } from '../client.ts';
import { readParameters } from '../module-parameters.ts';
import { print, printJson } from '../output.ts';
import { collectPairs } from '../run-request.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { watchRun } from '../watch-run.ts';

interface ModuleRunOptions extends ServiceOptions {
  readonly set?: Readonly<Record<string, string>>;
  readonly save?: boolean;
  readonly wait?: boolean;
  readonly follow?: boolean;
}

export function define(command: Command): void {
  command
    .argument('<module>', 'the id of a module')
    .option('--set <name=value>', 'a parameter; may be repeated', collectPairs)
    .option('--save', 'keep the parameters as its configuration, passwords left out')
    .option('-w, --wait', 'wait for its end; the exit code mirrors the outcome')
    .option('-f, --follow', 'print what it prints until its end, likewise');
  withExamples(
    serviceCommand(command, 'print the answer as one JSON document; with --follow one line for each event'),
    'pawl module run report --set month=5 --set verbose=true',
    'pawl module run report --set month=5 --save --follow',
  ).action(async (id: string, options: ModuleRunOptions) => {
    const { set = {}, save = false, wait = false, follow = false, json = false } = options;
    const client = clientOf(options);
    const run = await client.send<RunView>('POST', route`/v1/modules/${id}/runs`, {
      parameters: await readParameters(client, id, set),
      ...(save ? { saveConfig: true } : {}),
    });
    if (wait || follow) process.exitCode = await watchRun(client, run.id, { json, follow });
    else if (json) printJson(run);
    else print(run.id);
  });
}
