import { print, printJson } from './output.ts';
import { scheduleDetails } from './schedule-lines.ts';
import type { ServiceOptions } from './service-command.ts';
import { terminalOf } from './terminal.ts';
import type { ScheduleView } from '../api/schedule-schemas.ts';

/** Shows a schedule, as it is or has become. */
export function printSchedule(schedule: ScheduleView, { json = false }: ServiceOptions): void {
  if (json) printJson(schedule);
  else print(...scheduleDetails(schedule, terminalOf(process.stdout), Date.now()));
}
