import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { exitCodeMeanings, exitCodes } from '../src/cli/exit-codes.ts';
import { createProgram, loadAll } from '../src/cli/program.ts';

const MANUAL = fileURLToPath(new URL('../../../docs/cli.md', import.meta.url));
/** What follows is made of the commands themselves. */
const MARK = '<!-- From here on it is made of the commands: `npx vitest run test/manual.test.ts -u`. -->\n';

const program = createProgram();
await loadAll(program);
const commands = leavesOf(program).filter((command) => pathOf(command) !== 'pawl complete');

function leavesOf(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** What `--help` prints, 100 columns wide. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd();
}

describe.each(commands.map((command) => [pathOf(command), command] as const))(
  '%s --help',
  (path, command) => {
    it('says what it does, what it takes and how it is used', () => {
      const help = helpOf(command);
      expect(help).toMatch(new RegExp(`^Usage: ${path} `));
      expect(help).toMatch(/\nExamples?:\n {2}\S/);
      expect(help).toContain('\nOptions:\n');
      expect(command.options.map(({ long }) => long)).toContain('--json');
      for (const option of command.options) expect(option.description).not.toBe('');
      for (const argument of command.registeredArguments) expect(argument.description).not.toBe('');
      expect(command.description()).toMatch(/^[a-z].+[^.]$/);
    });
  },
);

it('is what docs/cli.md says', async () => {
  const [head = ''] = (await readFile(MANUAL, 'utf8')).split(MARK);
  const sections = commands.map(
    (command) => `## ${pathOf(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`,
  );
  await expect(`${head}${MARK}\n${sections.join('\n')}`).toMatchFileSnapshot(MANUAL);
});

it('explains every exit code', async () => {
  const explained = exitCodeMeanings.map(([code]) => code);
  for (const code of Object.values(exitCodes)) expect(explained).toContain(String(code));
  const manual = await readFile(MANUAL, 'utf8');
  for (const code of explained)
    expect(manual).toMatch(
      new RegExp(`^\\| ${code.replace('+', String.raw`\s?\+\s?`).replace('-', '[-–]')} +\\|`, 'm'),
    );
});
