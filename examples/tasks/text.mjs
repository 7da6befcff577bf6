// A worker is a file of functions: what it exports are its tasks.
import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

/** Counts words. */
export function countWords({ text }) {
  return { words: text.split(/\s+/).filter(Boolean).length, pid: process.pid };
}

/** Takes the whole process with it. */
export function crash() {
  process.stderr.write('the disk is on fire\n');
  process.exit(3);
}

/** Starts a process of its own and then never ends. */
export async function hang(_input, { log }) {
  const child = spawn('sleep', ['600'], { stdio: 'inherit' });
  log.info({ pid: child.pid }, 'started a grandchild');
  // Node sends while it waits; the loop below lets nothing out any more.
  await wait(50);
  for (;;);
}

/** Fails twice, then works. */
export function unreliable(_input, { attempt }) {
  if (attempt < 3) throw Object.assign(new Error('the service is busy'), { retryable: true });
  return `worked at attempt ${attempt}`;
}
