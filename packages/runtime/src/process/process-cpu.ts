import { readFileSync } from 'node:fs';

/** A tick of the times in `/proc/<pid>/stat`, in milliseconds: 100 of them a second on every Linux (proc(5)). */
const TICK_MS = 10;

/** CPU time that a process has used, in milliseconds, to 10 of them; undefined when it is gone, and off Linux. */
export function processCpuMs(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // `pid (any name) state …`: user and system time are the 14th and 15th field of all.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return undefined;
  }
}
