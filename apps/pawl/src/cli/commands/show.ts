import type { Command } from 'commander';
import type { RunView } from '../../api/run-schemas.ts';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { runDetails } from '../run-lines.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { terminalOf } from '../terminal.ts';

export function define(command: Command): void {
  command.argument('<run>', 'the id of a run');
  withExamples(serviceCommand(command), 'pawl show run_20260308_070000_script_1a2b3c4d').action(
    async (id: string, options: ServiceOptions) => {
      const run = await clientOf(options).get<RunView>(route`/v1/runs/${id}`);
      if (options.json === true) printJson(run);
      else print(...runDetails(run, terminalOf(process.stdout), Date.now()));
    },
  );
}
