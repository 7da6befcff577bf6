import type { Command } from 'commander';
import type { MaintenanceJobView } from '../../api/maintenance-schemas.ts';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.argument('<job>', 'a job, as `pawl maintenance ls` shows it');
  withExamples(serviceCommand(command), 'pawl maintenance run temp-files').action(
    async (job: string, options: ServiceOptions) => {
      const answer = await clientOf(options).send<MaintenanceJobView>('POST', route`/v1/maintenance/${job}`);
      if (options.json === true) printJson(answer);
      else print(`${job} done: ${JSON.stringify(answer.lastResult)}`);
    },
  );
}
