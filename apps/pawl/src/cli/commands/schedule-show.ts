import type { Command } from 'commander';
import { route } from '../client.ts';
import { printSchedule } from '../print-schedule.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import type { ScheduleView } from '../../api/schedule-schemas.ts';

export function define(command: Command): void {
  command.argument('<schedule>', 'the name of a schedule');
  withExamples(serviceCommand(command), 'pawl schedule show report').action(
    async (id: string, options: ServiceOptions) => {
      printSchedule(await clientOf(options).get<ScheduleView>(route`/v1/schedules/${id}`), options);
    },
  );
}
