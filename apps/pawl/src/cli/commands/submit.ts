import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { hasCode } from '@pawl/core';
import type { Command } from 'commander';
import type { RunView } from '../../api/run-schemas.ts';
import type { Client } from '../client.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { note, print, printJson } from '../output.ts';
import { readRunRequest, type RunRequestOptions, runRequestOptions } from '../run-request.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { watchRun } from '../watch-run.ts';

interface SubmitOptions extends RunRequestOptions, ServiceOptions {
  readonly wait?: boolean;
  readonly follow?: boolean;
  readonly batch?: string;
}

type BatchResult = { readonly run: RunView } | { readonly error: { readonly detail: string } };

export function define(command: Command): void {
  runRequestOptions(
    command
      .argument('[work]', 'a script, or what --command or --python say it is')
      .argument('[args...]', 'its arguments, after --')
      .option('-w, --wait', 'wait for its end; the exit code mirrors the outcome')
      .option('-f, --follow', 'print what it prints until its end, likewise')
      .option('--batch <file>', 'submit each run request of a JSON list in one go; - is stdin'),
  );
  withExamples(
    serviceCommand(command, 'print the answer as one JSON document; with --follow one line for each event'),
    'pawl submit report.py -- --month 5',
    'pawl submit --wait --timeout 5m nightly.sh',
    'pawl submit --follow --command git -- fetch --all',
    "echo 'print(6 * 7)' | pawl submit --wait --python -",
    'pawl submit --module report --set month=5',
  ).action(async (work: string | undefined, args: readonly string[], options: SubmitOptions) => {
    const client = clientOf(options);
    const operands = work === undefined ? [] : [work, ...args];
    process.exitCode = await (options.batch === undefined
      ? submitOne(client, operands, options)
      : submitBatch(client, options.batch, options));
  });
}

async function submitOne(
  client: Client,
  operands: readonly string[],
  options: SubmitOptions,
): Promise<number> {
  const { wait = false, follow = false, json = false } = options;
  const run = await client.send<RunView>('POST', '/v1/runs', await readRunRequest(client, operands, options));
  if (wait || follow) return watchRun(client, run.id, { json, follow });
  if (json) printJson(run);
  else print(run.id);
  return exitCodes.ok;
}

async function submitBatch(client: Client, file: string, { json = false }: SubmitOptions): Promise<number> {
  const runs = await readBatch(file);
  const answer = await client.send<{ results: readonly BatchResult[] }>('POST', '/v1/runs/batch', { runs });
  if (json) printJson(answer);
  for (const [index, result] of answer.results.entries()) {
    if ('error' in result) note(`runs[${index}]: ${result.error.detail}`);
    else if (!json) print(result.run.id);
  }
  return answer.results.some((result) => 'error' in result) ? exitCodes.failed : exitCodes.ok;
}

async function readBatch(file: string): Promise<readonly unknown[]> {
  try {
    const runs: unknown = JSON.parse(await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')));
    if (Array.isArray(runs)) return runs;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EISDIR', 'EACCES')) {
      throw new CommandError(exitCodes.noInput, error.message, { cause: error });
    }
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new CommandError(
    exitCodes.usage,
    `Expected \`--batch\` to be a JSON list of run requests in ${file}`,
  );
}
