import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** Whether a process lives. A zombie is dead: PID 1 of a container may never reap it. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits for processes that are not ours to be told of. @throws when one still lives after `withinMs` */
export async function untilGone(pids: readonly number[], withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (pids.some(isAlive)) {
    if (performance.now() > deadline) throw new Error(`Still alive: ${pids.filter(isAlive).join(', ')}.`);
    await wait(10);
  }
}

/** Ends a process that a test let loose on purpose. */
export function endAtLast(pid: number): void {
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
}
