import type { Command } from 'commander';
import type { z } from 'zod';
import type { poolList, PoolView } from '../../api/worker-schemas.ts';
import { note, print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { formatTable } from '../table.ts';
import { terminalOf } from '../terminal.ts';

const COUNTS = ['workers', 'busy', 'idle', 'starting', 'waiting', 'min', 'max', 'runs', 'crashes'] as const;

export function define(command: Command): void {
  withExamples(serviceCommand(command), 'pawl pool ls').action(async (options: ServiceOptions) => {
    const answer = await clientOf(options).get<z.infer<typeof poolList>>('/v1/pools');
    if (options.json === true) printJson(answer);
    else if (answer.pools.length === 0) note('there are no pools');
    else {
      const counts = COUNTS.map((name) => ({
        title: name.toUpperCase(),
        value: (pool: PoolView) => String(pool[name]),
        align: 'right' as const,
      }));
      const columns = [{ title: 'POOL', value: ({ name }: PoolView) => name }, ...counts];
      print(...formatTable(columns, answer.pools, terminalOf(process.stdout)));
    }
  });
}
