import type { Command } from 'commander';
import { print, printJson } from '../output.ts';
import { formatDuration, formatRelative } from '../quantities.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { type Column, formatTable } from '../table.ts';
import { terminalOf } from '../terminal.ts';
import type { MaintenanceJobView } from '../../api/maintenance-schemas.ts';

export function define(command: Command): void {
  withExamples(serviceCommand(command), 'pawl maintenance ls').action(async (options: ServiceOptions) => {
    const answer = await clientOf(options).get<{ readonly jobs: readonly MaintenanceJobView[] }>(
      '/v1/maintenance',
    );
    if (options.json === true) printJson(answer);
    else print(...formatTable(columnsAt(Date.now()), answer.jobs, terminalOf(process.stdout)));
  });
}

function columnsAt(now: number): readonly Column<MaintenanceJobView>[] {
  return [
    { title: 'JOB', value: ({ job }) => job },
    { title: 'EVERY', value: ({ everyMs }) => formatDuration(everyMs) },
    { title: 'LAST', value: ({ lastRunAt }) => formatRelative(lastRunAt, now) },
    { title: 'NEXT', value: ({ nextRunAt }) => formatRelative(nextRunAt, now) },
    { title: 'FAILED', value: ({ errors }) => String(errors), align: 'right' },
    { title: 'WHAT', value: ({ lastError, description }) => lastError ?? description, shrinks: true },
  ];
}
