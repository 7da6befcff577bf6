import type { Command } from 'commander';
import { route } from '../client.ts';
import { changeEach } from '../each-run.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.argument('<runs...>', 'ids of runs that have ended');
  withExamples(serviceCommand(command), 'pawl rm run_20260308_070000_script_1a2b3c4d').action(
    async (ids: readonly string[], options: ServiceOptions) => {
      const client = clientOf(options);
      process.exitCode = await changeEach(ids, options, async (id) => {
        await client.send('DELETE', route`/v1/runs/${id}`);
        return { line: `${id} removed`, answer: { id, removed: true } };
      });
    },
  );
}
