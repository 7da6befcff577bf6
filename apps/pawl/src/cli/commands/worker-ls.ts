import type { Command } from 'commander';
import type { z } from 'zod';
import type { workerList, WorkerView } from '../../api/worker-schemas.ts';
import { note, print, printJson } from '../output.ts';
import { formatBytes, formatRelative } from '../quantities.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { type Column, formatTable } from '../table.ts';
import { terminalOf } from '../terminal.ts';

export function define(command: Command): void {
  withExamples(serviceCommand(command), 'pawl worker ls').action(async (options: ServiceOptions) => {
    const answer = await clientOf(options).get<z.infer<typeof workerList>>('/v1/workers');
    if (options.json === true) printJson(answer);
    else if (answer.workers.length === 0) note('no process works at the moment');
    else print(...formatTable(columnsAt(Date.now()), answer.workers, terminalOf(process.stdout)));
  });
}

function columnsAt(now: number): readonly Column<WorkerView>[] {
  return [
    { title: 'WORKER', value: ({ id }) => id },
    { title: 'OF', value: ({ kind, pool }) => pool ?? kind },
    { title: 'PID', value: ({ pid }) => String(pid ?? '-'), align: 'right' },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'RUN', value: ({ runId }) => runId ?? '-', shrinks: true },
    { title: 'STARTED', value: ({ startedAt }) => formatRelative(startedAt, now) },
    { title: 'RUNS', value: ({ runs }) => String(runs), align: 'right' },
    {
      title: 'MEMORY',
      value: ({ rssBytes }) => (rssBytes === null ? '-' : formatBytes(rssBytes)),
      align: 'right',
    },
    { title: 'HEARTBEAT', value: ({ heartbeatAt }) => formatRelative(heartbeatAt, now) },
  ];
}
