import type { Command } from 'commander';
import type { BackfillView } from '../../api/schedule-schemas.ts';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { parseCount, parseInstant } from '../quantities.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

interface BackfillOptions extends ServiceOptions {
  readonly from: string;
  readonly to: string;
  readonly dryRun?: boolean;
  readonly atOnce?: number;
}

export function define(command: Command): void {
  command
    .argument('<schedule>', 'the name of a schedule')
    .requiredOption('--from <instant>', 'the first time that is wanted', parseInstant)
    .requiredOption('--to <instant>', 'the first time that is not, in the past', parseInstant)
    .option('--dry-run', 'only say how many runs it would be')
    .option('--at-once <count>', 'runs at a time; by default 1', parseCount(1));
  withExamples(
    serviceCommand(command),
    'pawl schedule backfill report --from 2026-03-01 --to 2026-03-08 --dry-run',
  ).action(async (id: string, options: BackfillOptions) => {
    const { from, to, dryRun = false, atOnce, json } = options;
    const answer = await clientOf(options).send<BackfillView>('POST', route`/v1/schedules/${id}/backfill`, {
      from,
      to,
      dryRun,
      ...(atOnce === undefined ? {} : { maxConcurrent: atOnce }),
    });
    if (json === true) printJson(answer);
    else
      print(
        `${answer.slots} slots ${dryRun ? 'would be run' : 'are being run'}, but for those that had their run`,
      );
  });
}
