import { type Clock, hasCode } from '@pawl/core';
import type { DescendantFinder } from './descendants.ts';
import { spawnDirectly } from './direct-spawn.ts';
import { signalEntry } from './process-table.ts';
import { createRestartBudget } from './restart-budget.ts';
import type { SpawnHelper } from './spawn-helper.ts';
import type { SpawnPlan, StartedChild } from './spawner.ts';

/** `true` always, `'auto'` when it pays, `false` never. */
export type SpawnHelperOption = boolean | 'auto';

export interface SpawnChoiceOptions {
  readonly mode: SpawnHelperOption;
  readonly finder: DescendantFinder;
  readonly clock: Clock;
}

/** Starts each process in the way that is best for it. */
export interface SpawnChoice {
  /** @throws what the operating system said */
  spawn(plan: SpawnPlan, mark: string): Promise<StartedChild>;
  /** Ends the helper, if there is one, and what it has started. */
  stop(): Promise<void>;
}

/**
 * From here on a start through the helper is faster than a fork of this process, in bytes of resident memory.
 * Measured by `npm run bench:spawn`.
 */
const PAYS_FROM_BYTES = 100 * 1024 * 1024;
/** A helper that keeps dying is not started again for a minute; processes are started directly meanwhile. */
const MAX_HELPER_LOSSES = 3;
const LOSSES_WITHIN_MS = 60_000;

export function createSpawnChoice({ mode, finder, clock }: SpawnChoiceOptions): SpawnChoice {
  const losses = createRestartBudget(MAX_HELPER_LOSSES, LOSSES_WITHIN_MS, clock);
  /** Those that have not ended, the unfit included. */
  const helpers = new Set<SpawnHelper>();
  let current: SpawnHelper | undefined;
  let heavySpawns = 0;

  /** The helper to use for the next start, if any. */
  async function helperForNext(): Promise<SpawnHelper | undefined> {
    if (!usesHelper()) return undefined;
    // Loaded when needed, with the sockets of Node, for most hosts never start one.
    const { createSpawnHelper } = await import('./spawn-helper.ts');
    if (current?.isFit === false) {
      current = undefined;
      losses.spend();
    }
    if (losses.spent) return undefined;
    if (current !== undefined) return current;
    try {
      const helper = createSpawnHelper(clock);
      helpers.add(helper);
      void helper.ended.then(() => helpers.delete(helper));
      current = helper;
    } catch {
      // There is no place for its socket: the temporary folder is missing, or full.
      losses.spend();
    }
    return current;
  }

  function usesHelper(): boolean {
    // Windows has no fork, and hands over no descriptors.
    if (mode === false || process.platform === 'win32') return false;
    if (mode === true) return true;
    // Node starts processes without a copy of itself on macOS.
    if (process.platform !== 'linux') return false;
    if (process.memoryUsage.rss() < PAYS_FROM_BYTES) return false;
    // The first start of the helper costs as much as one of anything else: a host that starts one process needs none.
    heavySpawns += 1;
    return heavySpawns > 1;
  }

  /** The helper died, or hangs, with this start in its hands: it may have started the process, of which nobody would know. */
  async function endHalfStarted(mark: string): Promise<void> {
    const found = await finder.find({ pid: -1, startedAt: undefined, mark, ageMs: Infinity, known: [] });
    for (const entry of found) signalEntry(entry, 'SIGKILL');
  }

  return {
    async spawn(plan, mark) {
      const way = await helperForNext();
      if (way === undefined) return spawnDirectly(plan);
      try {
        const child = await way.spawn(plan);
        if (losses.onProbation) losses.reset();
        return child;
      } catch (error) {
        if (!hasCode(error, 'SPAWN_HELPER_LOST')) throw error;
        await endHalfStarted(mark);
        return spawnDirectly(plan);
      }
    },
    async stop() {
      await Promise.all([...helpers].map((helper) => helper.stop()));
    },
  };
}
