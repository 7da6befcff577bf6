import type { Command } from 'commander';
import { route } from '../client.ts';
import { printSchedule } from '../print-schedule.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import type { ScheduleView } from '../../api/schedule-schemas.ts';

interface PauseOptions extends ServiceOptions {
  readonly reason: string;
}

export function define(command: Command): void {
  command
    .argument('<schedule>', 'the name of a schedule')
    .requiredOption('--reason <text>', 'shown to who wonders why it does not run');
  withExamples(serviceCommand(command), 'pawl schedule pause report --reason "the disk is full"').action(
    async (id: string, options: PauseOptions) => {
      const { reason } = options;
      const path = route`/v1/schedules/${id}/pause`;
      printSchedule(await clientOf(options).send<ScheduleView>('POST', path, { reason }), options);
    },
  );
}
