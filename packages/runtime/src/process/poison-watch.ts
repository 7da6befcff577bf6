/** Remembers which runs have killed workers, so that a run that is tried again and again does not kill them all. */
export interface PoisonWatch {
  /** A worker died while it executed the run. */
  noteCrash(runId: string, workerId: string): void;
  /** The run ended otherwise. */
  forget(runId: string): void;
  /** The workers that died on the run, if they are as many as may. */
  victims(runId: string): readonly string[] | undefined;
}

/** Runs that are remembered; whoever tries again does so soon. */
const MOST_RUNS = 1_000;

export function createPoisonWatch(maxCrashes: number): PoisonWatch {
  const crashes = new Map<string, readonly string[]>();
  return {
    noteCrash(runId, workerId) {
      const before = crashes.get(runId) ?? [];
      crashes.delete(runId);
      crashes.set(runId, [...before, workerId]);
      if (crashes.size <= MOST_RUNS) return;
      for (const oldest of crashes.keys()) {
        crashes.delete(oldest);
        return;
      }
    },
    forget(runId) {
      if (crashes.size > 0) crashes.delete(runId);
    },
    victims(runId) {
      const workers = crashes.get(runId);
      return workers !== undefined && workers.length >= maxCrashes ? workers : undefined;
    },
  };
}
