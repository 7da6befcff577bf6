import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkWorker, CommandError } from './kit.ts';
import { count, jsonReport, textReport } from './report.ts';
import { rules } from './rules.ts';

const USAGE = `Usage: pawl-conformance [options] -- <command…>

Starts a worker by <command…> and checks, rule by rule, that it keeps to the worker protocol.

  --channel <name>   fd3 or stdout: where the worker writes its frames (default: stdout)
  --only <rule>      check this rule alone; may be given more than once
  --timeout-ms <n>   how long to wait for each frame (default: 10000)
  --json             print one JSON document
  --list             print the rules
  --help             print this
  --version          print the version of the kit

Exit codes: 0 no rule is broken, 1 one is, 64 wrong usage, 69 the command can't be started.
`;

const exitCodes = { ok: 0, broken: 1, usage: 64, unavailable: 69 } as const;

/** What the command needs of its process. */
export interface CliHost {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Ends the kit early, with all it started. */
  readonly signal?: AbortSignal;
}

class UsageError extends Error {}

/** The command `pawl-conformance`. @returns its exit code */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  try {
    const { values, positionals } = readArgs(args);
    if (values.help === true) {
      host.out(USAGE);
      return exitCodes.ok;
    }
    if (values.version === true) {
      host.out(`${readVersion()}\n`);
      return exitCodes.ok;
    }
    if (values.list === true) {
      for (const { id, section, says } of rules) host.out(`${id}\t${section}\t${says}\n`);
      return exitCodes.ok;
    }
    const [file, ...rest] = positionals;
    if (file === undefined) throw new UsageError('there is no command to start');
    const report = await checkWorker({
      command: [file, ...rest],
      channel: channelOf(values.channel),
      timeoutMs: timeoutOf(values['timeout-ms']),
      rules: chosen(values.only),
      environment: host.environment,
      signal: host.signal,
    });
    host.out(values.json === true ? jsonReport(report) : textReport(report));
    return count(report, 'fail') > 0 ? exitCodes.broken : exitCodes.ok;
  } catch (error) {
    if (error instanceof UsageError) {
      host.err(`pawl-conformance: ${error.message}\n\n${USAGE}`);
      return exitCodes.usage;
    }
    if (error instanceof CommandError) {
      host.err(`pawl-conformance: the command can't be started: ${error.message}\n`);
      return exitCodes.unavailable;
    }
    throw error;
  }
}

interface Arguments {
  readonly values: {
    readonly channel?: string;
    readonly only?: string[];
    readonly 'timeout-ms'?: string;
    readonly json?: boolean;
    readonly list?: boolean;
    readonly help?: boolean;
    readonly version?: boolean;
  };
  readonly positionals: readonly string[];
}

function readArgs(args: readonly string[]): Arguments {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'wrong arguments', { cause: error });
  }
}

const OPTIONS = {
  channel: { type: 'string' },
  only: { type: 'string', multiple: true },
  'timeout-ms': { type: 'string' },
  json: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

function readVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

function channelOf(name: string | undefined): 'fd3' | 'stdout' {
  if (name === undefined || name === 'stdout') return 'stdout';
  if (name === 'fd3') return 'fd3';
  throw new UsageError(`expected --channel to be fd3 or stdout, got ${name}`);
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return 10_000;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`expected --timeout-ms to be a positive integer, got ${text}`);
}

function chosen(ids: readonly string[] | undefined): typeof rules {
  if (ids === undefined) return rules;
  for (const id of ids) {
    if (!rules.some((rule) => rule.id === id)) {
      throw new UsageError(`there is no rule ${id}; --list prints those there are`);
    }
  }
  return rules.filter(({ id }) => ids.includes(id));
}
