import { parseArgs } from 'node:util';
import { runFuzz } from './run.ts';
import type { Target } from './target.ts';
import { targets as allTargets } from './targets.ts';

const USAGE = `Usage: npm run fuzz -w @pawl/ipc -- [options]

Throws random inputs at @pawl/ipc and looks for one that breaks it.

  --seconds <n>    how long to go on (default: 60)
  --target <name>  only this target, or all of a group: ${groups()}
  --seed <n>       the same inputs again, in the same order
  --path <path>    with the seed and the target of a failure: its smallest input alone
  --list           print the targets

Exit codes: 0 nothing failed, 1 something did, 64 wrong usage.
`;

class UsageError extends Error {}

export interface FuzzHost {
  /** An integer from 0 to 2^31 − 1, for a run that is given none. */
  readonly newSeed: () => number;
  readonly now: () => number;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** @default all there are */
  readonly targets?: readonly Target[];
}

/** The command behind `npm run fuzz`. @returns its exit code */
export async function runFuzzCli(args: readonly string[], host: FuzzHost): Promise<number> {
  const { targets = allTargets } = host;
  try {
    const values = readArgs(args);
    if (values.list === true) {
      for (const { name, says } of targets) host.out(`${name}\t${says}`);
      return 0;
    }
    const seed = values.seed === undefined ? host.newSeed() : integer('seed', values.seed);
    const isClean = await runFuzz({
      targets: chosen(targets, values.target),
      seed,
      path: values.path,
      durationMs: integer('seconds', values.seconds ?? '60') * 1_000,
      now: host.now,
      out: host.out,
    });
    return isClean ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    host.err(`fuzz: ${error.message}\n\n${USAGE}`);
    return 64;
  }
}

interface Arguments {
  readonly seconds?: string;
  readonly target?: string;
  readonly seed?: string;
  readonly path?: string;
  readonly list?: boolean;
}

function readArgs(args: readonly string[]): Arguments {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'wrong arguments', { cause: error });
  }
}

const OPTIONS = {
  seconds: { type: 'string' },
  target: { type: 'string' },
  seed: { type: 'string' },
  path: { type: 'string' },
  list: { type: 'boolean' },
} as const;

function integer(name: string, text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 31) return Number(text);
  throw new UsageError(`expected --${name} to be an integer from 0 to 2^31 - 1, got ${text}`);
}

function chosen(targets: readonly Target[], name: string | undefined): readonly Target[] {
  if (name === undefined) return targets;
  const found = targets.filter((target) => target.name === name || groupOf(target) === name);
  if (found.length === 0) throw new UsageError(`there is no target ${name}; --list prints those there are`);
  return found;
}

function groupOf({ name }: Target): string {
  return name.slice(0, name.indexOf('.'));
}

function groups(): string {
  return [...new Set(allTargets.map(groupOf))].join(', ');
}
