import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export type Fact = Readonly<Record<string, unknown>>;

/** A program in a process of its own, and what it told so far. */
export interface HostProcess {
  readonly child: ChildProcess;
  readonly facts: readonly Fact[];
  /** Resolves with the first fact that has this name, also if it was told already. @throws when the host ends before */
  told(name: string): Promise<Fact>;
  readonly ended: Promise<unknown>;
}

export interface HostOptions {
  readonly folder: string;
  readonly submit?: number;
  readonly task?: string;
}

export function startHost({ folder, submit = 0, task = 'mixed' }: HostOptions): HostProcess {
  return startFixture('host.mjs', [folder, String(submit), task]);
}

/** Starts a program of `fixtures/` that tells what it does as a line of JSON each. */
export function startFixture(file: string, args: readonly string[]): HostProcess {
  const script = fileURLToPath(new URL(`fixtures/${file}`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const facts: Fact[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => facts.push(JSON.parse(line) as Fact));
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return {
    child,
    facts,
    ended,
    async told(name) {
      for (;;) {
        const fact = facts.find((each) => name in each);
        if (fact !== undefined) return fact;
        const more = await Promise.race([once(lines, 'line').then(() => true), ended.then(() => false)]);
        if (!more && !facts.some((each) => name in each)) {
          throw new Error(`The host ended without "${name}"; it told ${JSON.stringify(facts.slice(-5))}.`);
        }
      }
    },
  };
}

/** The lines of a file that the runs of a host wrote. */
export function linesOf(folder: string, name: string): readonly string[] {
  try {
    return readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

/** Whether a process lives. A zombie is dead: PID 1 of a container may never reap it. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
