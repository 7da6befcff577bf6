import type { Command } from 'commander';
import type { PoolView } from '../../api/worker-schemas.ts';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.argument('<pool>', 'the name of a pool');
  withExamples(serviceCommand(command), 'pawl pool recycle python').action(
    async (name: string, options: ServiceOptions) => {
      const pool = await clientOf(options).send<PoolView>('POST', route`/v1/pools/${name}/recycle`);
      if (options.json === true) printJson(pool);
      else print(`the workers of ${name} are being replaced`);
    },
  );
}
