import type { Argument, Command, Option } from 'commander';
import type { Client } from './client.ts';
import { load } from './program.ts';

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Slower, and somebody would wait with a finger on the tab key. */
const TIMEOUT_MS = 1_500;
const SHOWN_RUNS = 50;

/**
 * What the last of the words can become. Nothing where a file is wanted, which shells know better.
 * @param words after `pawl`; the last is the one being typed, maybe empty
 * @param client asks the service for its runs, modules and so on
 */
export async function complete(
  program: Command,
  words: readonly string[],
  client: Client,
): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  // After it are the arguments of somebody else.
  if (before.includes('--')) return [];
  const { command, operands, option } = await readWords(program, before);
  const candidates = await candidatesFor({ command, operands, option, typed, client });
  return candidates.filter(({ value }) => value.startsWith(typed));
}

interface Position {
  readonly command: Command;
  /** How many arguments came before. */
  readonly operands: number;
  /** Whose value is being typed. */
  readonly option: Option | undefined;
}

/** Walks down to the command that the words name. */
async function readWords(program: Command, words: readonly string[]): Promise<Position> {
  let command = program;
  let operands = 0;
  let option: Option | undefined;
  for (const word of words) {
    if (option !== undefined) option = undefined;
    else if (word.startsWith('-')) option = valueOption(command, word);
    else {
      const next = command.commands.find((each) => each.name() === word);
      if (next === undefined) operands += 1;
      else {
        await load(next);
        command = next;
        operands = 0;
      }
    }
  }
  return { command, operands, option };
}

async function candidatesFor({
  command,
  operands,
  option,
  typed,
  client,
}: Position & { readonly typed: string; readonly client: Client }): Promise<readonly Candidate[]> {
  if (option !== undefined) return valuesOf(option, option.attributeName(), client, command);
  if (typed.startsWith('-')) {
    return command
      .createHelp()
      .visibleOptions(command)
      .map(({ long, description }) => ({ value: long ?? '', description }));
  }
  if (command.commands.length > 0) {
    // A word before it is no command.
    if (operands > 0) return [];
    return command
      .createHelp()
      .visibleCommands(command)
      .map((each) => ({ value: each.name(), description: each.description() }));
  }
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[operands] ?? (last?.variadic === true ? last : undefined);
  return argument === undefined ? [] : valuesOf(argument, argument.name(), client, command);
}

function valueOption(command: Command, word: string): Option | undefined {
  if (word.includes('=')) return undefined;
  const option = command.options.find(({ long, short }) => long === word || short === word);
  return option?.required === true || option?.optional === true ? option : undefined;
}

async function valuesOf(
  { argChoices }: Argument | Option,
  name: string,
  client: Client,
  command: Command,
): Promise<readonly Candidate[]> {
  if (argChoices !== undefined) return argChoices.map((value) => ({ value, description: '' }));
  try {
    return await askService(name, command.name(), client);
  } catch {
    // Without the service there is nothing to say, and nowhere to say it.
    return [];
  }
}

async function askService(name: string, command: string, client: Client): Promise<readonly Candidate[]> {
  const options = { timeoutMs: TIMEOUT_MS };
  switch (name) {
    case 'run':
    case 'runs': {
      const query = { limit: SHOWN_RUNS, state: STATES[command] };
      const { runs } = await client.get<Lists['runs']>('/v1/runs', { ...options, query });
      return runs.map(({ id, state, title }) => ({ value: id, description: `${state}: ${title}` }));
    }
    case 'exercise': {
      const { exercises } = await client.get<Lists['exercises']>('/v1/exercises', options);
      return exercises.map(({ id, title }) => ({ value: id, description: title }));
    }
    case 'module': {
      const { modules } = await client.get<Lists['modules']>('/v1/modules', options);
      return modules.map((module) => ({ value: module.id, description: module.name }));
    }
    case 'schedule': {
      const { schedules } = await client.get<Lists['schedules']>('/v1/schedules', options);
      return schedules.map(({ id, inWords }) => ({ value: id, description: inWords }));
    }
    case 'pool': {
      const { pools } = await client.get<Lists['pools']>('/v1/pools', options);
      return pools.map((pool) => ({ value: pool.name, description: `${pool.workers} workers` }));
    }
    case 'worker': {
      const { workers } = await client.get<Lists['workers']>('/v1/workers', options);
      return workers.map(({ id, state }) => ({ value: id, description: state }));
    }
    case 'job': {
      const { jobs } = await client.get<Lists['jobs']>('/v1/maintenance', options);
      return jobs.map((job) => ({ value: job.name, description: '' }));
    }
    default:
      return [];
  }
}

/** Of the runs that a command is for. */
const STATES: Readonly<Record<string, string>> = {
  cancel: 'queued,running',
  retry: 'succeeded,failed,cancelled,timed-out,lost',
  rm: 'succeeded,failed,cancelled,timed-out,lost',
};

interface Lists {
  readonly exercises: { readonly exercises: readonly { id: string; title: string }[] };
  readonly runs: { readonly runs: readonly { id: string; state: string; title: string }[] };
  readonly modules: { readonly modules: readonly { id: string; name: string }[] };
  readonly schedules: { readonly schedules: readonly { id: string; inWords: string }[] };
  readonly pools: { readonly pools: readonly { name: string; workers: number }[] };
  readonly workers: { readonly workers: readonly { id: string; state: string }[] };
  readonly jobs: { readonly jobs: readonly { name: string }[] };
}
