import * as fc from 'fast-check';
import type { Target } from './target.ts';

/** How many inputs a target gets before the next one has its turn. */
const ROUND = 200;
/** How long one input may take, in milliseconds: what takes longer hangs. */
const INPUT_TIMEOUT_MS = 20_000;
const MAX_SEED = 0x7fff_ffff;
const MAX_SHOWN = 4_000;

export interface FuzzOptions {
  readonly targets: readonly Target[];
  /** Decides every input: the same seed gives the same ones, in the same order. From 0 to 2^31 − 1. */
  readonly seed: number;
  /** Replays one input, the smallest that failed, as it was printed. */
  readonly path?: string | undefined;
  /** How long to go on, in milliseconds. Infinity goes on until something fails. */
  readonly durationMs: number;
  /** Milliseconds since any start. */
  readonly now: () => number;
  readonly out: (line: string) => void;
}

/**
 * Throws inputs at the targets, in turns, until time is up or one of them fails. The first failure is made as small as
 * it gets, and ends it.
 * @returns whether nothing failed
 */
export async function runFuzz(options: FuzzOptions): Promise<boolean> {
  const { targets, seed, path, durationMs, now, out } = options;
  out(`seed ${seed}`);
  const deadline = now() + durationMs;
  const tallies = targets.map((target) => ({ target, runs: 0, tookMs: 0 }));
  for (let round = 0; now() < deadline; round += 1) {
    for (const tally of tallies) {
      const startedAt = now();
      if (startedAt >= deadline) break;
      const details = await check(tally.target, {
        // The first round has the very seed, so that a failure is replayed by the seed of its round.
        seed: (seed + Math.imul(round, 0x9e37_79b9)) & MAX_SEED,
        path,
        withinMs: deadline - startedAt,
      });
      tally.runs += details.numRuns;
      tally.tookMs += now() - startedAt;
      if (details.failed) {
        report(tally.target, details, out);
        return false;
      }
    }
    if (path !== undefined) break;
  }
  const width = Math.max(...targets.map(({ name }) => name.length));
  for (const { target, runs, tookMs } of tallies) {
    const perSecond = Math.round(tookMs === 0 ? 0 : (runs * 1_000) / tookMs);
    out(`${target.name.padEnd(width)}  ${String(runs).padStart(9)} runs  ${perSecond} a second`);
  }
  return true;
}

interface Round {
  readonly seed: number;
  readonly path: string | undefined;
  readonly withinMs: number;
}

async function check({ property }: Target, { seed, path, withinMs }: Round): Promise<fc.RunDetails<unknown>> {
  return fc.check(property, {
    seed,
    numRuns: ROUND,
    timeout: INPUT_TIMEOUT_MS,
    ...(path === undefined ? {} : { path, endOnFailure: true }),
    ...(withinMs === Infinity ? {} : { interruptAfterTimeLimit: Math.ceil(withinMs) }),
  });
}

function report(target: Target, details: fc.RunDetails<unknown>, out: (line: string) => void): void {
  const { numRuns, numShrinks, seed, counterexample, counterexamplePath, errorInstance } = details;
  const error =
    errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : errorInstance;
  out(`${target.name} failed: it no longer ${target.says}`);
  out(`after ${numRuns} runs of its round, and ${numShrinks} steps to a smaller input:`);
  out(shown(fc.stringify(counterexample)));
  out(shown(String(error)));
  out('replay it with:');
  out(
    `npm run fuzz -w @pawl/ipc -- --target ${target.name} --seed ${seed} --path ${counterexamplePath ?? '0'}`,
  );
}

function shown(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}… (${text.length} characters)` : text;
}
