import type { Command } from 'commander';
import { route } from '../client.ts';
import { printSchedule } from '../print-schedule.ts';
import { readRunRequest, type RunRequestOptions, runRequestOptions } from '../run-request.ts';
import { policyOptions, readSchedule, type ScheduleOptions, scheduleOptions } from '../schedule-options.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import type { ScheduleView } from '../../api/schedule-schemas.ts';

interface AddOptions extends ScheduleOptions, RunRequestOptions, ServiceOptions {
  readonly replace?: boolean;
}

export function define(command: Command): void {
  command
    .argument('<id>', 'its name')
    .argument('[work]', 'a script, or what --command or --python say it is')
    .argument('[args...]', 'its arguments, after --')
    .option('--replace', 'change the schedule that has this name');
  runRequestOptions(policyOptions(scheduleOptions(command)));
  withExamples(
    serviceCommand(command),
    'pawl schedule add report --cron "0 7 * * 1-5" --time-zone Europe/Berlin report.py -- --month 5',
    'pawl schedule add sync --every 15m --overlap skip --command rsync -- -a /srv/a/ /srv/b/',
    'pawl schedule add report --replace --cron "30 7 * * *" report.py',
  ).action(async (id: string, work: string | undefined, args: readonly string[], options: AddOptions) => {
    const client = clientOf(options);
    const run = await readRunRequest(client, work === undefined ? [] : [work, ...args], options);
    const schedule = { id, ...readSchedule(options), run };
    const saved =
      options.replace === true
        ? await client.send<ScheduleView>('PUT', route`/v1/schedules/${id}`, schedule)
        : await client.send<ScheduleView>('POST', '/v1/schedules', schedule);
    printSchedule(saved, options);
  });
}
