import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { HostIdentity, ProcessIdentity } from './run.ts';

/**
 * When a process started, so that it is not taken for a later one with its number: on Linux in clock ticks since the
 * boot, elsewhere as `ps` prints it.
 * @returns undefined when there is no such process, or the system does not tell (Windows)
 */
export function processStartTime(pid: number): string | undefined {
  if (process.platform === 'linux') return statField(pid, START_TIME_FIELD);
  if (process.platform === 'win32') return undefined;
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Whether this very process still runs. One that ended and was not yet reaped does not. */
export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  if (startTime === undefined || processStartTime(pid) !== startTime) return false;
  return process.platform !== 'linux' || !/^[ZX]$/.test(statField(pid, STATE_FIELD) ?? 'X');
}

/** Who this process is. */
export function thisHost(id: string, since: number): HostIdentity {
  return {
    id,
    name: hostname(),
    pid: process.pid,
    startTime: processStartTime(process.pid),
    bootId: contentOf('/proc/sys/kernel/random/boot_id')?.trim(),
    since,
  };
}

// Fields of /proc/<pid>/stat, counted after the name, which is in brackets and may hold anything: proc_pid_stat(5).
const STATE_FIELD = 0;
const START_TIME_FIELD = 19;

function statField(pid: number, index: number): string | undefined {
  const stat = contentOf(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[index];
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
