import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const MARK = 'PAWL_TEST_RUN';

/**
 * Marks every process the tests start and fails the run if one outlives it (Linux only: reads /proc). Workers of a
 * pool do not inherit the mark, their environment being minimal; they name their host instead. What ran before the
 * tests is left alone.
 */
export default function setup(): (() => void) | undefined {
  if (process.platform !== 'linux') return undefined;
  process.env[MARK] = randomUUID();
  const mark = `${MARK}=${process.env[MARK]}`;

  const before = new Set(processIds());

  /** Whether a process belongs to this run: it carries the mark, or its host does or is gone. */
  const isOurs = (environment: readonly string[]): boolean => {
    if (environment.includes(mark)) return true;
    const host = environment.find((entry) => entry.startsWith('PAWL_PARENT_PID='))?.split('=')[1];
    if (host === undefined) return false;
    return host === String(process.pid) || (environmentOf(host)?.includes(mark) ?? true);
  };

  return () => {
    const left: string[] = [];
    for (const pid of processIds()) {
      if (before.has(pid)) continue;
      const command = contentOf(`/proc/${pid}/cmdline`)?.split('\0').join(' ').trim() ?? '';
      if (Number(pid) === process.pid || command === '' || command.includes('/vitest/dist/workers/'))
        continue;
      if (!isOurs(environmentOf(pid) ?? [])) continue;
      left.push(`${pid} ${command}`);
      try {
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

function processIds(): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

/** A process's environment as it was started, or undefined when it is gone. */
function environmentOf(pid: string): readonly string[] | undefined {
  return contentOf(`/proc/${pid}/environ`)?.split('\0');
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
