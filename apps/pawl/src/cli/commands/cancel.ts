import type { Command } from 'commander';
import type { RunView } from '../../api/run-schemas.ts';
import { route } from '../client.ts';
import { changeEach } from '../each-run.ts';
import { runSentence } from '../run-lines.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

interface CancelOptions extends ServiceOptions {
  readonly reason?: string;
}

export function define(command: Command): void {
  command.argument('<runs...>', 'ids of runs').option('--reason <text>', 'kept with the run');
  withExamples(
    serviceCommand(command),
    'pawl cancel run_20260308_070000_script_1a2b3c4d',
    'pawl cancel --reason "wrong month" run_20260308_070000_script_1a2b3c4d',
  ).action(async (ids: readonly string[], options: CancelOptions) => {
    const client = clientOf(options);
    const body = options.reason === undefined ? {} : { reason: options.reason };
    process.exitCode = await changeEach(ids, options, async (id) => {
      const run = await client.send<RunView>('POST', route`/v1/runs/${id}/cancel`, body);
      const line = run.state === 'running' ? `${id} is being cancelled` : runSentence(run);
      return { line, answer: run };
    });
  });
}
