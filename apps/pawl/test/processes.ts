import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The command as users run it: built, from `dist`. */
export const PAWL: string = fileURLToPath(new URL('../bin/pawl.js', import.meta.url));

/** Why tests that run Python programs are skipped here, for their titles; empty where they run. */
export const NO_PYTHON: string =
  spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0
    ? ''
    : ' (skipped: there is no python3 from 3.8 on here)';

/** The same for tests that find processes in /proc. */
export const NO_PROC: string = process.platform === 'linux' ? '' : ' (skipped: there is no /proc here)';

/** An empty folder that only this caller knows. Its path marks every process that gets it in its environment. */
export function makeFolder(): { readonly path: string; readonly remove: () => void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-test-')));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** What lives and has `mark` in its environment or command line, as `pid command`. A zombie is dead. */
export function processesWith(mark: string): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
      const marked = command.includes(mark) || readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark);
      return marked && isAlive(Number(pid)) ? [`${pid} ${command}`] : [];
    } catch {
      // It ended while we looked.
      return [];
    }
  });
}

/** Whether a process lives. A zombie is dead: PID 1 of a container may never reap it. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until `look` gives something other than false or undefined. @throws naming `what` after `withinMs` */
export async function until<T>(
  what: string,
  look: () => T | false | undefined | Promise<T | false | undefined>,
  withinMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== false && found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}.`);
    await wait(10);
  }
}
