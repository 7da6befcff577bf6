import type { Command } from 'commander';
import type { DrainView } from '../../api/worker-schemas.ts';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.argument('<worker>', 'the id of a worker, as `pawl worker ls` shows it');
  withExamples(serviceCommand(command), 'pawl worker drain python.worker-1').action(
    async (id: string, options: ServiceOptions) => {
      const answer = await clientOf(options).send<DrainView>('POST', route`/v1/workers/${id}/drain`);
      if (options.json === true) printJson(answer);
      else print(answer.runId === null ? `${id} ends` : `${id} finishes ${answer.runId}, then ends`);
    },
  );
}
