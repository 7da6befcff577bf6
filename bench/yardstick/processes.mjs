// What runs on this machine, from /proc: asking with a signal takes a process that nobody has reaped for a live one.
import { readdirSync, readFileSync } from 'node:fs';

/** Whether a process is there and no zombie. */
export function isAlive(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Processes whose environment holds `NAME=value`. */
export function processesWith(variable) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable);
      } catch {
        return false;
      }
    })
    .map(Number)
    .filter(isAlive);
}
