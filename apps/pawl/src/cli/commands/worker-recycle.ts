import type { Command } from 'commander';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.argument('<worker>', 'the id of a worker, as `pawl worker ls` shows it');
  withExamples(serviceCommand(command), 'pawl worker recycle python.worker-1').action(
    async (id: string, options: ServiceOptions) => {
      const answer = await clientOf(options).send('POST', route`/v1/workers/${id}/recycle`);
      if (options.json === true) printJson(answer);
      else print(`${id} is being replaced`);
    },
  );
}
