import type { Command } from 'commander';
import type { z } from 'zod';
import type { recycleAnswer } from '../../api/worker-schemas.ts';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';

export function define(command: Command): void {
  command.argument('<pool>', 'the name of a pool');
  withExamples(serviceCommand(command), 'pawl pool recycle python').action(
    async (name: string, options: ServiceOptions) => {
      const path = route`/v1/pools/${name}/recycle`;
      const answer = await clientOf(options).send<z.infer<typeof recycleAnswer>>('POST', path);
      if (options.json === true) printJson(answer);
      else print(`${answer.recycled} workers of ${name} are being replaced`);
    },
  );
}
