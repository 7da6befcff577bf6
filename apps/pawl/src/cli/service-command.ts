import type { Command } from 'commander';
import { type Client, createClient, DEFAULT_URL } from './client.ts';

/** What every command that asks the service takes. */
export interface ServiceOptions {
  readonly url?: string;
  readonly json?: boolean;
}

/** Adds the options of a command that asks the service. */
export function serviceCommand(
  command: Command,
  json = 'print the whole answer as one JSON document',
): Command {
  return command
    .option('--json', json)
    .option('--url <url>', `the service; otherwise PAWL_URL, otherwise ${DEFAULT_URL}`);
}

/** The client for where the options or the environment say the service is. */
export function clientOf({ url }: ServiceOptions): Client {
  const { PAWL_URL = '', PAWL_TOKEN = '' } = process.env;
  return createClient({
    url: url ?? (PAWL_URL === '' ? undefined : PAWL_URL),
    token: PAWL_TOKEN === '' ? undefined : PAWL_TOKEN,
  });
}

/** Adds examples at the end of the help. */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  const title = examples.length === 1 ? 'Example:' : 'Examples:';
  return command.addHelpText('after', `\n${title}\n${examples.map((each) => `  ${each}`).join('\n')}`);
}
