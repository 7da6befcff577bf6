import { onExit } from 'signal-exit';
import { signalGroup } from './terminate.ts';

/** The groups that are not to outlive this process. */
const groups = new Set<number>();
let stopListening: (() => void) | undefined;

/**
 * Kills a process group when this process exits, or dies of a signal that can be heard: not of SIGKILL, nor of a crash
 * of Node itself. Listens only while there are such groups.
 * @param pid the leader
 * @returns a function that takes it back
 */
export function endWithHost(pid: number): () => void {
  groups.add(pid);
  stopListening ??= onExit(killAll);
  return () => {
    groups.delete(pid);
    if (groups.size > 0) return;
    stopListening?.();
    stopListening = undefined;
  };
}

/** There is no time left to ask: this process is gone in the same turn. */
function killAll(): void {
  for (const pid of groups) signalGroup(pid, 'SIGKILL');
}
