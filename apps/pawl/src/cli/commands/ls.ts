import { type Command, Option } from 'commander';
import type { RunListView, RunPageView } from '../../api/run-schemas.ts';
import type { Client } from '../client.ts';
import { untilInterrupted } from '../interrupt.ts';
import { note, print, printJson, printJsonLine } from '../output.ts';
import { parseCount, parseInstant } from '../quantities.ts';
import { runSentence, runTable } from '../run-lines.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { formatFields } from '../table.ts';
import { terminalOf } from '../terminal.ts';

interface ListOptions extends ServiceOptions {
  readonly state?: string;
  readonly task?: string;
  readonly key?: string;
  readonly schedule?: string;
  readonly from?: string;
  readonly before?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly counts?: boolean;
  readonly follow?: boolean;
}

export function define(command: Command): void {
  command
    .option('--state <states>', 'queued, running, succeeded, failed, cancelled, timed-out, lost; with commas')
    .option('--task <task>', 'script, command, python or module:<id>')
    .option('--key <key>', 'runs with this key')
    .option('--schedule <schedule>', 'runs of this schedule')
    .option('--from <instant>', 'created from then on', parseInstant)
    .option('--before <instant>', 'created before then', parseInstant)
    .option('--limit <count>', 'how many', parseCount(1))
    .option('--cursor <cursor>', 'go on where a list ended')
    .addOption(new Option('--counts', 'how many there are in each state').conflicts('follow'))
    .addOption(new Option('-f, --follow', 'print each change of a run, until Ctrl-C'));
  withExamples(
    serviceCommand(
      command,
      'print the whole answer as one JSON document; with --follow one line for each event',
    ),
    'pawl ls',
    'pawl ls --state running,queued',
    'pawl ls --state failed --from 2026-03-01 --json',
    'pawl ls --schedule nightly',
    'pawl ls --follow',
  ).action(async (options: ListOptions) => {
    const client = clientOf(options);
    if (options.counts === true) await printCounts(client, options);
    else if (options.follow === true) process.exitCode = await follow(client, options);
    else await list(client, options);
  });
}

async function list(client: Client, options: ListOptions): Promise<void> {
  const { state, task, key, schedule, from, before, limit, cursor, json } = options;
  const page = await client.get<RunPageView>('/v1/runs', {
    query: { state, task, key, schedule, createdFrom: from, createdBefore: before, limit, cursor },
  });
  if (json === true) {
    printJson(page);
    return;
  }
  if (page.runs.length === 0) {
    note('there are no such runs. `pawl submit <script>` makes one.');
    return;
  }
  print(...runTable(page.runs, terminalOf(process.stdout), Date.now()));
  if (page.nextCursor !== null) note(`there are more: --cursor ${page.nextCursor}`);
}

async function printCounts(client: Client, { json }: ListOptions): Promise<void> {
  const counts = await client.get<Readonly<Record<string, number>>>('/v1/runs/counts');
  if (json === true) printJson(counts);
  else {
    const fields = Object.entries(counts).map(([state, count]) => [state, String(count)] as const);
    print(...formatFields(fields, terminalOf(process.stdout)));
  }
}

async function follow(client: Client, { json }: ListOptions): Promise<number> {
  return untilInterrupted(
    async (signal) => {
      const states = new Map<string, string>();
      const events = client.follow('/v1/events', {
        signal,
        query: () => ({ types: 'run' }),
        onBroken: () => note('the connection broke; it is sought again'),
      });
      for await (const { event, data } of events) {
        if (json === true) printJsonLine({ event, ...(data as object) });
        else if (event === 'run') {
          const run = data as RunListView;
          // Progress and output are for the dashboard; a line is for a change of state.
          if (states.get(run.id) !== run.state) print(`${new Date().toISOString()} ${runSentence(run)}`);
          states.set(run.id, run.state);
        } else if (event === 'reset') note('some changes are missing here');
      }
      return 0;
    },
    () => note('stopped watching'),
  );
}
