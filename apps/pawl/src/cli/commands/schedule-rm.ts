import type { Command } from 'commander';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.argument('<schedule>', 'the name of a schedule');
  withExamples(serviceCommand(command), 'pawl schedule rm report').action(
    async (id: string, options: ServiceOptions) => {
      await clientOf(options).send('DELETE', route`/v1/schedules/${id}`);
      if (options.json === true) printJson({ id, removed: true });
      else print(`${id} removed`);
    },
  );
}
