import { Command } from 'commander';
import { readVersion } from '../version.ts';
import { type CommandEntry, commandTable, type GroupEntry, type TableEntry } from './command-table.ts';
import { exitCodeMeanings } from './exit-codes.ts';
import { hasColors, terminalOf } from './terminal.ts';

/** What has yet to be loaded: of a command its arguments, options and action. */
const entries = new WeakMap<Command, CommandEntry>();

/** The command with all its parts by name. What a part takes is loaded when it is asked for, and only then. */
export function createProgram(): Command {
  const program = new Command('pawl')
    .description('Runs work in supervised processes and makes sure that it ends.')
    .version(readVersion(), '--version', 'print the version')
    .helpOption('--help', 'print help')
    .option('--no-color', 'print no colours; also where NO_COLOR is set')
    .helpCommand(false)
    .showHelpAfterError('(`pawl --help` shows the commands)')
    .configureHelp({ styleTitle: (title) => terminalOf(process.stdout).colors.bold(title) })
    .configureOutput({
      getOutHasColors: () => hasColors(process.stdout),
      getErrHasColors: () => hasColors(process.stderr),
      outputError: (text, write) => write(text.replace(/^error: /, 'pawl: ')),
    })
    .addHelpText('after', exitCodesHelp())
    .exitOverride();
  for (const group of commandTable) {
    for (const entry of group.commands) addEntry(program, entry).helpGroup(`${group.title}:`);
  }
  return program.hook('preSubcommand', (_program, command) => load(command));
}

/** Loads every command: for completion and the manual. */
export async function loadAll(command: Command): Promise<void> {
  await load(command);
  for (const each of command.commands) await loadAll(each);
}

/** Loads what a command takes. */
export async function load(command: Command): Promise<void> {
  const entry = entries.get(command);
  if (entry === undefined) return;
  entries.delete(command);
  const { define } = await entry.load();
  define(command);
}

/** `pawl help ls` is `pawl ls --help`. */
export function readArguments(args: readonly string[]): readonly string[] {
  return args[0] === 'help' ? [...args.slice(1), '--help'] : args;
}

function addEntry(parent: Command, entry: TableEntry): Command {
  const hidden = !isGroup(entry) && entry.isHidden === true;
  const command = parent.command(entry.name, { hidden }).description(entry.summary);
  command.showHelpAfterError(`(\`${pathOf(command)} --help\` shows how it is used)`);
  if (isGroup(entry)) {
    for (const each of entry.commands) addEntry(command, each);
    return command.helpCommand(false).hook('preSubcommand', (_command, each) => load(each));
  }
  entries.set(command, entry);
  return command;
}

/** `pawl schedule add` */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function exitCodesHelp(): string {
  const lines = exitCodeMeanings.map(([code, meaning]) => `  ${code.padEnd(7)}  ${meaning}`);
  return `\nExit codes:\n${lines.join('\n')}`;
}

function isGroup(entry: TableEntry): entry is GroupEntry {
  return 'commands' in entry;
}
