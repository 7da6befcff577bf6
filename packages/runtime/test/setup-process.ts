import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { ProcessHandle } from '../src/process/process-handle.ts';

/** What a promise is rejected with. */
export async function failureOf<Fault = Error & Record<string, unknown>>(
  promise: Promise<unknown>,
): Promise<Fault> {
  const result = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in result) return result.error as Fault;
  throw new Error(`It was expected to fail, and gave ${JSON.stringify(result.value)}.`);
}

/** Whether a process lives. A zombie is dead: PID 1 of a container may never reap it. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits for processes that are not ours to be told of. @throws when one still lives after `withinMs` */
export async function untilGone(pids: readonly number[], withinMs: number): Promise<void> {
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

/** What a process prints first. Reads on, so that it never blocks. */
export async function firstLine({ stdout, stderr }: ProcessHandle): Promise<string> {
  if (stdout === null) throw new Error('No stdout.');
  const [chunk] = (await once(stdout, 'data')) as [Buffer];
  stdout.resume();
  stderr?.resume();
  return chunk.toString().trim();
}
