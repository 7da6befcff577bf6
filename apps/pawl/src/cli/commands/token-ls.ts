import type { Command } from 'commander';
import { note, print, printJson } from '../output.ts';
import { withExamples } from '../service-command.ts';
import { formatTable } from '../table.ts';
import { terminalOf } from '../terminal.ts';
import { readTokens, tokensFileOf } from '../tokens-file.ts';
import type { StoredToken } from '../../token-format.ts';

interface TokenOptions {
  readonly file?: string;
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .option(
      '--file <file>',
      'the tokens; otherwise PAWL_TOKENS_FILE, otherwise tokens.json in the data folder',
    )
    .option('--json', 'print them as one JSON document');
  withExamples(command, 'pawl token ls').action(async ({ file: option, json = false }: TokenOptions) => {
    const file = tokensFileOf(option);
    // Not even their hashes.
    const tokens = (await readTokens(file)).map(({ name, role }) => ({ name, role }));
    if (json) printJson({ tokens });
    else if (tokens.length === 0)
      note(`there are no tokens in ${file}: every client on this machine may do all`);
    else print(...formatTable(COLUMNS, tokens, terminalOf(process.stdout)));
  });
}

type NamedRole = Pick<StoredToken, 'name' | 'role'>;

const COLUMNS = [
  { title: 'TOKEN', value: ({ name }: NamedRole) => name },
  { title: 'ROLE', value: ({ role }: NamedRole) => role },
];
