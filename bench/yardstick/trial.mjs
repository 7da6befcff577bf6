// One check with one pool, in processes of their own of which none is left afterwards.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { processesWith } from './processes.mjs';

const program = fileURLToPath(new URL('./children/check.mjs', import.meta.url));
const LIMIT_MS = 18_000;
/** The trials under way: pid and scratch folder. */
const running = new Map();
const better = ['pass', 'fail', 'not offered'];

/**
 * @typedef {{ outcome: 'pass' | 'fail' | 'not offered', kind: string, observed: string }} Trial
 */

/** Tries the kinds of workers that a pool offers until one of them passes; the best outcome counts. */
export async function tryAllKinds(check, peer) {
  const trials = [];
  for (const kind of peer.kinds) {
    const trial = await tryOnce(check, peer, kind);
    trials.push(trial);
    if (trial.outcome === 'pass') break;
  }
  return trials.toSorted((a, b) => better.indexOf(a.outcome) - better.indexOf(b.outcome))[0];
}

/** @returns {Promise<Trial>} */
export async function tryOnce(check, peer, kind) {
  const folder = mkdtempSync(join(tmpdir(), 'yardstick-'));
  const child = spawn(process.execPath, ['--expose-gc', program, check.id, peer.name, kind], {
    // A group of its own: what the pool starts can be ended with it.
    detached: true,
    cwd: folder,
    env: { ...process.env, YARDSTICK_SCRATCH: folder },
    stdio: 'ignore',
  });
  running.set(child.pid, folder);
  const limitMs = check.limitMs ?? LIMIT_MS;
  const limit = setTimeout(() => endGroup(child.pid), limitMs);
  limit.unref();
  const started = performance.now();
  await once(child, 'exit');
  clearTimeout(limit);
  const hung = performance.now() - started >= limitMs;
  try {
    return { kind, ...outcomeIn(folder, hung, limitMs, child) };
  } finally {
    await cleanUp(child.pid, folder);
    running.delete(child.pid);
  }
}

function outcomeIn(folder, hung, limitMs, { exitCode, signalCode }) {
  try {
    return JSON.parse(readFileSync(join(folder, 'outcome'), 'utf8'));
  } catch {
    const observed = hung
      ? `no answer within ${limitMs / 1_000} s`
      : `the host ended (${signalCode ?? exitCode})`;
    return { outcome: 'fail', observed };
  }
}

/** Ends the trials under way. */
export async function endTrials() {
  await Promise.all([...running].map(([pid, folder]) => cleanUp(pid, folder)));
}

/** Ends what a trial left, its group and whatever has its scratch folder in its environment, and removes the folder. */
async function cleanUp(pid, folder) {
  endGroup(pid);
  for (let round = 0; round < 50; round += 1) {
    const left = processesWith(`YARDSTICK_SCRATCH=${folder}`);
    if (left.length === 0) break;
    for (const each of left) end(each);
    await sleep(20);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

const endGroup = (pid) => end(-pid);

function end(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
