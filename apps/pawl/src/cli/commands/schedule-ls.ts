import type { Command } from 'commander';
import { note, print, printJson } from '../output.ts';
import { scheduleTable } from '../schedule-lines.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { terminalOf } from '../terminal.ts';
import type { ScheduleView } from '../../api/schedule-schemas.ts';

export function define(command: Command): void {
  withExamples(serviceCommand(command), 'pawl schedule ls').action(async (options: ServiceOptions) => {
    const answer = await clientOf(options).get<{ readonly schedules: readonly ScheduleView[] }>(
      '/v1/schedules',
    );
    if (options.json === true) printJson(answer);
    else if (answer.schedules.length === 0) {
      note('there are no schedules. `pawl schedule add` makes one.');
    } else print(...scheduleTable(answer.schedules, terminalOf(process.stdout), Date.now()));
  });
}
