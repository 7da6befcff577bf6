import type { Command } from 'commander';
import type { SettingsView } from '../../api/system-schemas.ts';
import { print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { type Column, formatTable } from '../table.ts';
import { terminalOf } from '../terminal.ts';

export function define(command: Command): void {
  withExamples(serviceCommand(command), 'pawl settings').action(async (options: ServiceOptions) => {
    const answer = await clientOf(options).get<SettingsView>('/v1/settings');
    if (options.json === true) printJson(answer);
    else print(...formatTable(COLUMNS, answer.settings, terminalOf(process.stdout)));
  });
}

const COLUMNS: readonly Column<SettingsView['settings'][number]>[] = [
  { title: 'SETTING', value: ({ name }) => name },
  { title: 'VALUE', value: ({ value }) => value ?? '-' },
  { title: 'WHAT', value: ({ description }) => description.replaceAll('`', ''), shrinks: true },
];
