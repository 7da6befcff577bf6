import { onExit } from 'signal-exit';
import { signalGroup } from './terminate.ts';

/** Process groups that are not to outlive this process. */
export interface HostExit {
  /** @param pid the leader of the group. @returns a function that takes it back */
  endWithHost(pid: number): () => void;
}

/**
 * Kills process groups when this process exits, or dies of a signal that can be heard: not of SIGKILL, nor of a crash of
 * Node itself. Listens only while there are such groups.
 */
export function createHostExit(): HostExit {
  const groups = new Set<number>();
  let stopListening: (() => void) | undefined;

  /** There is no time left to ask: this process is gone in the same turn. */
  function killAll(): void {
    for (const pid of groups) signalGroup(pid, 'SIGKILL');
  }

  return {
    endWithHost(pid) {
      groups.add(pid);
      stopListening ??= onExit(killAll);
      return () => {
        groups.delete(pid);
        if (groups.size > 0) return;
        stopListening?.();
        stopListening = undefined;
      };
    },
  };
}
