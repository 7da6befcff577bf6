import type { Command } from 'commander';
import { print, printJson } from '../output.ts';
import { withExamples } from '../service-command.ts';
import { removeToken, tokensFileOf } from '../tokens-file.ts';

interface TokenOptions {
  readonly file?: string;
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .argument('<name>', 'the name of a token')
    .option(
      '--file <file>',
      'the tokens; otherwise PAWL_TOKENS_FILE, otherwise tokens.json in the data folder',
    )
    .option('--json', 'print what was done as one JSON document');
  withExamples(command, 'pawl token rm ci').action(
    async (name: string, { file: option, json = false }: TokenOptions) => {
      await removeToken(tokensFileOf(option), name);
      if (json) printJson({ name, removed: true });
      else print(`${name} removed`);
    },
  );
}
