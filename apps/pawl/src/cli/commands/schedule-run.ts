import type { Command } from 'commander';
import type { ManualRunView } from '../../api/schedule-schemas.ts';
import { route } from '../client.ts';
import { note, print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.argument('<schedule>', 'the name of a schedule');
  withExamples(serviceCommand(command), 'pawl schedule run report').action(
    async (id: string, options: ServiceOptions) => {
      const answer = await clientOf(options).send<ManualRunView>('POST', route`/v1/schedules/${id}/run`);
      if (options.json === true) printJson(answer);
      else if (answer.runId === null) note('it waits for the end of another run of the schedule');
      else print(answer.runId);
    },
  );
}
