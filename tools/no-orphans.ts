import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const MARK = 'PAWL_TEST_RUN';

/** Marks every process the tests start and fails the run if one outlives it (Linux only: reads /proc). */
export default function setup(): (() => void) | undefined {
  if (process.platform !== 'linux') return undefined;
  process.env[MARK] = randomUUID();
  const mark = `${MARK}=${process.env[MARK]}`;
  return () => {
    const left: string[] = [];
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (Number(pid) === process.pid) continue;
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
        if (command === '' || command.includes('/vitest/dist/workers/')) continue;
        if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark)) continue;
        left.push(`${pid} ${command}`);
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It ended while we looked.
      }
    }
    if (left.length > 0) {
      process.exitCode = 1;
      throw new Error(`The tests left ${left.length} process(es) behind:\n${left.join('\n')}`);
    }
  };
}
