import { stat, statfs } from 'node:fs/promises';
import {
  arch,
  availableParallelism,
  cpus,
  freemem,
  hostname,
  loadavg,
  platform,
  release,
  totalmem,
} from 'node:os';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '@pawl/core';
import type { RunTracker } from '@pawl/tasks';
import { toIso } from '../api/conventions.ts';
import type { SystemView } from '../api/system-schemas.ts';
import type { MaintenanceJobs } from '../maintenance/maintenance-jobs.ts';
import type { SandboxState } from '../python/sandbox-state.ts';
import type { ServiceStore } from '../service-store.ts';

/** How the service and its machine are. */
export interface SystemReport {
  read(): Promise<SystemView>;
  /** Lets go of what watches the event loop. */
  stop(): void;
}

export interface SystemReportOptions {
  readonly version: string;
  readonly dataDir: string;
  readonly store: Pick<ServiceStore, 'kind' | 'file'>;
  readonly tracker: Pick<RunTracker, 'counts'>;
  readonly maintenance: Pick<MaintenanceJobs, 'list'>;
  readonly sandbox: () => Promise<SandboxState>;
  readonly clock: Clock;
}

/** Times between two readings that are shorter say too little. */
const MIN_SAMPLE_MS = 500;
/** What the event loop was delayed by counts since so long ago, at most twice that. */
const DELAY_WINDOW_MS = 60_000;
/** How often the event loop is looked at. */
const RESOLUTION_MS = 100;
const NS_PER_MS = 1e6;

export function createSystemReport(options: SystemReportOptions): SystemReport {
  const { store, clock } = options;
  const startedAt = clock.wallTime();
  const startedNow = clock.now();
  const cpuShare = createCpuMeter(clock);
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let delaySince = clock.now();

  function readDelay(): SystemView['eventLoop'] {
    const view = delayView(delay);
    if (clock.now() - delaySince > DELAY_WINDOW_MS) {
      delay.reset();
      delaySince = clock.now();
    }
    return view;
  }

  return {
    async read() {
      const [counts, sandbox, disk, bytes] = await Promise.all([
        options.tracker.counts(),
        options.sandbox(),
        readDisk(options.dataDir),
        fileBytes(store.file),
      ]);
      const check = options.maintenance.list().find(({ job }) => job === 'store-check');
      const { rss, heapUsed } = process.memoryUsage();
      return {
        version: options.version,
        startedAt: toIso(startedAt),
        uptimeMs: Math.round(clock.now() - startedNow),
        pid: process.pid,
        host: hostname(),
        node: process.versions.node,
        platform: `${platform()} ${release()} ${arch()}`,
        store: {
          kind: store.kind,
          file: store.file ?? null,
          bytes,
          integrity: (check?.lastResult as SystemView['store']['integrity']) ?? null,
          checkedAt: toIso(check?.lastRunAt),
        },
        runs: counts,
        memory: {
          totalBytes: totalmem(),
          freeBytes: freemem(),
          usedPercent: 100 * (1 - freemem() / totalmem()),
          serviceBytes: rss,
          serviceHeapBytes: heapUsed,
        },
        cpu: { cores: availableParallelism(), ...cpuShare(), load: loadavg().map((load) => load) },
        disk,
        eventLoop: readDelay(),
        sandbox,
      };
    },
    stop: () => void delay.disable(),
  };
}

function delayView(delay: IntervalHistogram): SystemView['eventLoop'] {
  return {
    delayP50Ms: delayMs(delay.percentile(50)),
    delayP99Ms: delayMs(delay.percentile(99)),
    delayMaxMs: delay.count === 0 ? 0 : delayMs(delay.max),
  };
}

/** What was measured includes the interval between two looks. */
function delayMs(measuredNs: number): number {
  return Math.max(0, measuredNs / NS_PER_MS - RESOLUTION_MS);
}

/** Gives what share of the processors was in use since an earlier call, by all and by this process. */
function createCpuMeter(clock: Clock): () => Pick<SystemView['cpu'], 'usedPercent' | 'servicePercent'> {
  const look = () => ({ at: clock.now(), machine: machineTimes(), own: process.cpuUsage() });
  let last = look();
  let latest = { usedPercent: 0, servicePercent: 0 };
  return () => {
    const elapsedMs = clock.now() - last.at;
    if (elapsedMs < MIN_SAMPLE_MS) return latest;
    const next = look();
    const total = next.machine.total - last.machine.total;
    const idle = next.machine.idle - last.machine.idle;
    const ownMs = (next.own.user + next.own.system - last.own.user - last.own.system) / 1_000;
    latest = {
      usedPercent: total === 0 ? 0 : 100 * (1 - idle / total),
      servicePercent: (100 * ownMs) / (elapsedMs * availableParallelism()),
    };
    last = next;
    return latest;
  };
}

function machineTimes(): { readonly total: number; readonly idle: number } {
  let total = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    total += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  return { total, idle };
}

async function readDisk(path: string): Promise<SystemView['disk']> {
  try {
    const { bsize, blocks, bfree, bavail } = await statfs(path);
    const used = blocks - bfree;
    return {
      path,
      totalBytes: blocks * bsize,
      freeBytes: bavail * bsize,
      // As `df` has it: blocks kept for root are neither used nor available.
      usedPercent: used + bavail === 0 ? 0 : (100 * used) / (used + bavail),
    };
  } catch {
    // In memory nothing is written there, so the folder need not be there.
    return { path, totalBytes: null, freeBytes: null, usedPercent: null };
  }
}

/** The database, and what is not yet merged into it. */
async function fileBytes(file: string | undefined): Promise<number | null> {
  if (file === undefined) return null;
  const sizes = await Promise.all(
    [file, `${file}-wal`].map((path) =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
