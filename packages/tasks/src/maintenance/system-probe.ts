import { statfs } from 'node:fs/promises';
import { cpus, freemem, tmpdir, totalmem } from 'node:os';
import { checkDurationMs, checkKnownKeys, checkString, type Clock, sleep, systemClock } from '@pawl/core';

/** What the machine has left. All shares are percent, from 0 to 100. */
export interface SystemProbe {
  /** Share of the processors' time that is in use, over a sample. */
  cpuPercent(): Promise<number>;
  /** Share of the memory that is in use; what the system can give up at once counts as free. */
  memoryPercent(): Promise<number>;
  freeMemoryBytes(): Promise<number>;
  /** Share of the disk that is in use, as an ordinary user sees it. */
  diskPercent(): Promise<number>;
}

export interface SystemProbeOptions {
  /** A path on the disk that is looked at. @default the folder of temporary files */
  readonly diskPath?: string;
  /** How long the processors are watched, in milliseconds. @default 1000 */
  readonly sampleMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** Looks at this machine. Nothing in it blocks the event loop. @throws TypeError, RangeError for wrong options */
export function createSystemProbe(options: SystemProbeOptions = {}): SystemProbe {
  checkKnownKeys('createSystemProbe', options, ['diskPath', 'sampleMs', 'clock']);
  const diskPath = checkString('diskPath', options.diskPath ?? tmpdir());
  const sampleMs = checkDurationMs('sampleMs', options.sampleMs ?? 1_000);
  const { clock = systemClock } = options;
  return {
    async cpuPercent() {
      const before = cpuTimes();
      await sleep(clock, sampleMs, { keepAlive: false });
      const after = cpuTimes();
      const total = after.total - before.total;
      return total === 0 ? 0 : 100 * (1 - (after.idle - before.idle) / total);
    },
    async memoryPercent() {
      return 100 * (1 - freemem() / totalmem());
    },
    async freeMemoryBytes() {
      return freemem();
    },
    async diskPercent() {
      const { blocks, bfree, bavail } = await statfs(diskPath);
      const used = blocks - bfree;
      // As `df` has it: blocks kept for root are neither used nor available.
      return used + bavail === 0 ? 0 : (100 * used) / (used + bavail);
    },
  };
}

function cpuTimes(): { readonly idle: number; readonly total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    for (const time of Object.values(times)) total += time;
  }
  return { idle, total };
}
