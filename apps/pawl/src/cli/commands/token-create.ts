import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Role, ROLES } from '../../access.ts';
import { note, print, printJson } from '../output.ts';
import { withExamples } from '../service-command.ts';
import { addToken, tokensFileOf } from '../tokens-file.ts';

interface CreateOptions {
  readonly name: string;
  readonly role: Role;
  readonly file?: string;
  readonly json?: boolean;
}

/** What can stand in a log and in a shell as it is. */
const NAME = /^[\w.-]{1,64}$/;

export function define(command: Command): void {
  command
    .requiredOption('--name <name>', 'who it is for: letters, digits, dots, - and _', parseName)
    .addOption(
      new Option(
        '--role <role>',
        'read: look at everything; run: start and cancel runs, too; admin: everything',
      )
        .choices(ROLES)
        .makeOptionMandatory(),
    )
    .option(
      '--file <file>',
      'the tokens; otherwise PAWL_TOKENS_FILE, otherwise tokens.json in the data folder',
    )
    .option('--json', 'print it as one JSON document');
  withExamples(command, 'pawl token create --name ci --role run').action(
    async ({ name, role, file: option, json = false }: CreateOptions) => {
      const file = tokensFileOf(option);
      const token = await addToken(file, name, role);
      if (json) {
        printJson({ name, role, token, file });
        return;
      }
      print(token);
      note(`it is shown this once; its hash is in ${file}. Clients send it as PAWL_TOKEN.`);
    },
  );
}

function parseName(text: string): string {
  if (NAME.test(text)) return text;
  throw new InvalidArgumentError('Expected 1 to 64 letters, digits, dots, - and _.');
}
