import type { Command } from 'commander';
import { route } from '../client.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { note, print, printJson } from '../output.ts';
import { parseCount, parseInstant } from '../quantities.ts';
import { slotTable } from '../schedule-lines.ts';
import { readSchedule, type ScheduleOptions, scheduleOptions } from '../schedule-options.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { terminalOf } from '../terminal.ts';
import type { SlotView } from '../../api/schedule-schemas.ts';

interface PreviewOptions extends ScheduleOptions, ServiceOptions {
  readonly count: number;
  readonly from?: string;
}

interface Preview {
  readonly inWords: string;
  readonly slots: readonly SlotView[];
}

const DEFAULT_COUNT = 10;

export function define(command: Command): void {
  command
    .argument('[schedule]', 'the name of a schedule; without it --cron or --every say when')
    .option('--count <count>', 'how many times', parseCount(1), DEFAULT_COUNT)
    .option('--from <instant>', 'with --cron or --every: not from now on but from then', parseInstant);
  withExamples(
    serviceCommand(scheduleOptions(command)),
    'pawl schedule preview report --count 5',
    'pawl schedule preview --cron "30 2 * * *" --time-zone America/New_York --from 2026-03-07',
  ).action(async (id: string | undefined, options: PreviewOptions) => {
    const { count, from, json } = options;
    const client = clientOf(options);
    const schedule = readSchedule(options);
    const isDraft = Object.keys(schedule).length > 0;
    if ((id === undefined) !== isDraft) {
      throw new CommandError(exitCodes.usage, 'name a schedule, or say when by --cron or --every');
    }
    const preview =
      id === undefined
        ? await client.send<Preview>('POST', '/v1/schedules/preview', { schedule, count, from })
        : await client.get<Preview>(route`/v1/schedules/${id}/preview`, { query: { count } });
    if (json === true) {
      printJson(preview);
      return;
    }
    if (id === undefined) note(preview.inWords);
    print(...slotTable(preview.slots, terminalOf(process.stdout), Date.now()));
  });
}
