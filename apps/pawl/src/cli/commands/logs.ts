import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { type Client, route } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import { untilInterrupted } from '../interrupt.ts';
import { printJson } from '../output.ts';
import { parseCount, parseInstant } from '../quantities.ts';
import { followLog, type LogStyle, printEntry } from '../run-log.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import type { LogPageView } from '../../api/run-schemas.ts';
import { tellThatItGoesOn } from '../watch-run.ts';

interface LogsOptions extends ServiceOptions, LogStyle {
  readonly follow?: boolean;
  readonly tail?: number;
  readonly since?: string;
  readonly attempt?: number;
  readonly raw?: 'stdout' | 'stderr';
}

const STREAMS = ['stdout', 'stderr'];
/** What the service gives at most in one answer. */
const MAX_TAIL = 10_000;

export function define(command: Command): void {
  command
    .argument('<run>', 'the id of a run')
    .option('-f, --follow', 'go on until it ends; a restart of the service does not matter')
    .option('--tail <count>', `the last lines only, at most ${MAX_TAIL}`, parseCount(1))
    .option('--since <instant>', 'lines from then on', parseInstant)
    .option('--attempt <number>', 'those of an earlier attempt', parseCount(1))
    .option('--timestamps', 'when each line came, and its level')
    .addOption(new Option('--stream <stream>', 'one stream only').choices(STREAMS))
    .addOption(
      new Option('--raw <stream>', 'a stream byte for byte as it was written')
        .choices(STREAMS)
        .conflicts(['follow', 'json', 'tail', 'since', 'timestamps', 'stream']),
    );
  withExamples(
    serviceCommand(command, 'print the answer as one JSON document; with --follow one line for each event'),
    'pawl logs run_20260308_070000_script_1a2b3c4d',
    'pawl logs -f run_20260308_070000_script_1a2b3c4d',
    'pawl logs --raw stdout run_20260308_070000_script_1a2b3c4d > report.csv',
  ).action(async (id: string, options: LogsOptions) => {
    const client = clientOf(options);
    if (options.raw !== undefined) await copyRaw(client, id, options);
    else if (options.follow === true) process.exitCode = await follow(client, id, options);
    else await printPage(client, id, options);
  });
}

/** Lines of stdout go to stdout and those of stderr to stderr, as when it had run here. */
async function printPage(client: Client, id: string, options: LogsOptions): Promise<LogPageView> {
  const { tail = MAX_TAIL, since, attempt, json = false, follow: goesOn = false } = options;
  const page = await client.get<LogPageView>(route`/v1/runs/${id}/logs`, { query: { tail, since, attempt } });
  if (json && !goesOn) printJson(page);
  else if (!json) for (const entry of page.entries) printEntry(entry, options);
  return page;
}

async function follow(client: Client, id: string, options: LogsOptions): Promise<number> {
  const { json = false, attempt, tail, since } = options;
  return untilInterrupted(
    async (signal) => {
      const isPart = tail !== undefined || since !== undefined;
      const from = isPart ? (await printPage(client, id, options)).endOffset : undefined;
      await followLog(client, id, {
        ...options,
        json,
        signal,
        ...(attempt === undefined ? {} : { attempt }),
        ...(from === undefined ? {} : { from }),
      });
      return exitCodes.ok;
    },
    () => tellThatItGoesOn(id),
  );
}

async function copyRaw(client: Client, id: string, { raw, attempt }: LogsOptions): Promise<void> {
  const bytes = await client.download(route`/v1/runs/${id}/logs/download`, {
    query: { stream: raw, attempt },
  });
  await pipeline(Readable.fromWeb(bytes as never), process.stdout, { end: false });
}
