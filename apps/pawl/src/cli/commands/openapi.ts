import type { Command } from 'commander';
import { describeService } from '../describe-service.ts';
import { printJson } from '../output.ts';
import { withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.option('--json', 'it is JSON always');
  withExamples(command, 'pawl openapi > pawl.json').action(async () => printJson(await describeService()));
}
