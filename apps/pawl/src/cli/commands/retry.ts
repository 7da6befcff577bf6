import type { Command } from 'commander';
import type { RunView } from '../../api/run-schemas.ts';
import { route } from '../client.ts';
import { changeEach } from '../each-run.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.argument('<runs...>', 'ids of runs that have ended; each becomes a new run');
  withExamples(serviceCommand(command), 'pawl retry run_20260308_070000_script_1a2b3c4d').action(
    async (ids: readonly string[], options: ServiceOptions) => {
      const client = clientOf(options);
      process.exitCode = await changeEach(ids, options, async (id) => {
        const run = await client.send<RunView>('POST', route`/v1/runs/${id}/retry`, {});
        return { line: run.id, answer: run };
      });
    },
  );
}
