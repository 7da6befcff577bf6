import type { Command } from 'commander';
import type { PoolView } from '../../api/worker-schemas.ts';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { parseCount } from '../quantities.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.argument('<pool>', 'the name of a pool').argument('<size>', 'how many workers', parseCount(0));
  withExamples(serviceCommand(command), 'pawl pool scale python 4').action(
    async (name: string, size: number, options: ServiceOptions) => {
      const path = route`/v1/pools/${name}/scale`;
      const pool = await clientOf(options).send<PoolView>('POST', path, { size });
      if (options.json === true) printJson(pool);
      else print(`${name} is scaled to ${size}`);
    },
  );
}
