import { createDeferred, type Deferred, untilAborted } from '@pawl/core';
import type { Run } from './run.ts';

/** Those who wait for the end of a run. */
export interface RunWaiters {
  /** Resolves with the run once it has ended. @throws the reason of `signal`, or what `close` was given */
  wait(id: string, signal: AbortSignal | undefined): RunWait;
  /** Tells those who wait for this run. */
  resolve(run: Run): void;
  /** Tells everybody that the end will not be seen. */
  close(reason: Error): void;
}

export interface RunWait extends Disposable {
  readonly ended: Promise<Run>;
}

export function createRunWaiters(): RunWaiters {
  const waiting = new Map<string, Set<Deferred<Run>>>();

  function remove(id: string, deferred: Deferred<Run>): void {
    const group = waiting.get(id);
    group?.delete(deferred);
    if (group?.size === 0) waiting.delete(id);
  }

  return {
    wait(id, signal) {
      const deferred = createDeferred<Run>();
      const group = waiting.get(id) ?? new Set();
      waiting.set(id, group.add(deferred));
      const ended = untilAborted(deferred.promise, signal).finally(() => remove(id, deferred));
      // Whoever looked and saw that the run is over does not listen any more.
      ended.catch(() => undefined);
      return { ended, [Symbol.dispose]: () => remove(id, deferred) };
    },
    resolve(run) {
      for (const deferred of waiting.get(run.id) ?? []) deferred.resolve(run);
    },
    close(reason) {
      for (const group of waiting.values()) for (const deferred of group) deferred.reject(reason);
    },
  };
}
