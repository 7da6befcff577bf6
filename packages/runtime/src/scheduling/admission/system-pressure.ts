import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem } from 'node:os';
import { posix } from 'node:path';
import type { CpuTimes, PressureProbe } from './pressure.ts';

export interface SystemPressureOptions {
  /** Reads a file, `undefined` when there is none; other files than the machine's in tests. */
  readonly read?: (path: string) => string | undefined;
}

/**
 * The machine as this process sees it: its own control group and those above it count on Linux, for a container may
 * have less than the machine. Versions 1 and 2 of control groups are known.
 */
export function systemPressureProbe({ read = readOrNothing }: SystemPressureOptions = {}): PressureProbe {
  const groups = controlGroups(read);
  return {
    cpuTimes: () => containerCpu(groups, read) ?? machineCpu(),
    freeMemoryBytes: () =>
      Math.min(freemem(), ...groups.map((group) => freeInGroup(group, read) ?? Infinity)),
  };
}

/** Where one control group tells of itself: the folders of its memory and CPU controllers. */
interface ControlGroup {
  readonly version: 1 | 2;
  readonly memory: string | undefined;
  readonly cpu: string | undefined;
  readonly cpuUsage: string | undefined;
}

const ROOT = '/sys/fs/cgroup';

/** The group of this process, then its parents. */
function controlGroups(read: (path: string) => string | undefined): readonly ControlGroup[] {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const pathOf = (controller: string): string | undefined =>
    lines.find(([, names = '']) => names.split(',').includes(controller))?.[2];
  // On a machine with both versions the controllers are in the first.
  if (pathOf('memory') !== undefined || pathOf('cpu') !== undefined) {
    const folders = (controller: string): readonly string[] =>
      lineage(pathOf(controller)).map((path) => posix.join(ROOT, controller, path));
    const [memory, cpu, usage] = [folders('memory'), folders('cpu'), folders('cpuacct')];
    const depth = Math.max(memory.length, cpu.length);
    return Array.from({ length: depth }, (_, index) => ({
      version: 1,
      memory: memory[index],
      cpu: cpu[index],
      cpuUsage: usage[index],
    }));
  }
  return lineage(pathOf('')).map((path) => {
    const folder = posix.join(ROOT, path);
    return { version: 2, memory: folder, cpu: folder, cpuUsage: folder };
  });
}

/** `/a/b` → `/a/b`, `/a`, `/`. In a container the path may be that of the machine, and then only the last is there. */
function lineage(path: string | undefined): readonly string[] {
  if (path === undefined) return [];
  const paths = [path];
  while (paths.at(-1) !== '/') paths.push(posix.dirname(paths.at(-1) ?? '/'));
  return paths;
}

/** What the group may still take. Files in its cache are given back when memory is short, so they count as free. */
function freeInGroup(
  { version, memory }: ControlGroup,
  read: (path: string) => string | undefined,
): number | undefined {
  if (memory === undefined) return undefined;
  const [limitFile, usageFile, cacheField] =
    version === 2
      ? (['memory.max', 'memory.current', 'inactive_file'] as const)
      : (['memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'] as const);
  const limit = numberIn(read(posix.join(memory, limitFile)));
  const usage = numberIn(read(posix.join(memory, usageFile)));
  if (limit === undefined || usage === undefined) return undefined;
  const cache = fieldIn(read(posix.join(memory, 'memory.stat')), cacheField) ?? 0;
  return Math.max(0, limit - usage + cache);
}

/** Of the innermost group with a quota: its own use against what it may use. */
function containerCpu(
  groups: readonly ControlGroup[],
  read: (path: string) => string | undefined,
): CpuTimes | undefined {
  for (const { version, cpu, cpuUsage } of groups) {
    if (cpu === undefined || cpuUsage === undefined) continue;
    const [quota, period] =
      version === 2
        ? (read(posix.join(cpu, 'cpu.max')) ?? '').split(' ').map((part) => numberIn(part))
        : [
            numberIn(read(posix.join(cpu, 'cpu.cfs_quota_us'))),
            numberIn(read(posix.join(cpu, 'cpu.cfs_period_us'))),
          ];
    const busyMs =
      version === 2
        ? fieldIn(read(posix.join(cpuUsage, 'cpu.stat')), 'usage_usec', 1e-3)
        : numberIn(read(posix.join(cpuUsage, 'cpuacct.usage')), 1e-6);
    if (quota === undefined || period === undefined || busyMs === undefined || quota < 0) continue;
    return { busyMs, perSecondMs: (1_000 * quota) / period };
  }
  return undefined;
}

function machineCpu(): CpuTimes {
  let busyMs = 0;
  for (const { times } of cpus()) busyMs += times.user + times.nice + times.sys + times.irq;
  return { busyMs, perSecondMs: 1_000 * availableParallelism() };
}

/** `max` is no limit, and no number. */
function numberIn(text: string | undefined, factor = 1): number | undefined {
  const value = Number.parseFloat(text ?? '');
  return Number.isNaN(value) ? undefined : value * factor;
}

/** Of a file with a `name value` on each line. */
function fieldIn(text: string | undefined, name: string, factor = 1): number | undefined {
  const line = text?.split('\n').find((each) => each.startsWith(`${name} `));
  return numberIn(line?.slice(name.length + 1), factor);
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
