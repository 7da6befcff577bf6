import type { Command } from 'commander';
import { route } from '../client.ts';
import { printSchedule } from '../print-schedule.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import type { ScheduleView } from '../../api/schedule-schemas.ts';

interface SkipOptions extends ServiceOptions {
  readonly undo?: boolean;
}

export function define(command: Command): void {
  command.argument('<schedule>', 'the name of a schedule').option('--undo', 'run it all the same');
  withExamples(
    serviceCommand(command),
    'pawl schedule skip-next report',
    'pawl schedule skip-next report --undo',
  ).action(async (id: string, options: SkipOptions) => {
    const method = options.undo === true ? 'DELETE' : 'POST';
    const path = route`/v1/schedules/${id}/skip-next`;
    printSchedule(await clientOf(options).send<ScheduleView>(method, path), options);
  });
}
