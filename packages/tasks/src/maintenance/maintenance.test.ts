import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createPeriodicTasks } from '../patterns/periodic.ts';
import { sampleHost, sampleRun } from '../testing/run-samples.ts';
import { createMemoryRunStore } from '../tracking/memory-run-store.ts';
import { createMaintenance, type MaintenanceOptions } from './maintenance.ts';
import { removeOldRuns } from './old-runs.ts';
import { checkSystemHealth } from './system-health.ts';
import { createSystemProbe, type SystemProbe } from './system-probe.ts';
import { removeTempFiles } from './temp-files.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A machine with plenty of everything, unless told otherwise. */
function probeOf(readings: Partial<Record<keyof SystemProbe, number | Error>> = {}): SystemProbe {
  const read = (name: keyof SystemProbe) => async (): Promise<number> => {
    const value = readings[name] ?? 10;
    if (value instanceof Error) throw value;
    return value;
  };
  return {
    cpuPercent: read('cpuPercent'),
    memoryPercent: read('memoryPercent'),
    diskPercent: read('diskPercent'),
    freeMemoryBytes: read('freeMemoryBytes'),
  };
}

function loggerSpy() {
  const logger = {
    debug: vi.fn<Logger['debug']>(),
    info: vi.fn<Logger['info']>(),
    warn: vi.fn<Logger['warn']>(),
    error: vi.fn<Logger['error']>(),
    child: () => logger as unknown as Logger,
  };
  return logger;
}

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-maintenance-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('checkSystemHealth', () => {
  it('finds a machine healthy up to its thresholds', async () => {
    const probe = probeOf({ memoryPercent: 80, diskPercent: 90, cpuPercent: 90 });
    expect(await checkSystemHealth(probe)).toEqual({
      status: 'healthy',
      memoryPercent: 80,
      diskPercent: 90,
      cpuPercent: 90,
      findings: [],
    });
  });

  it.each([
    ['memoryPercent', 80.1, 'Memory use is 80.1 %, above 80 %.'],
    ['diskPercent', 90.4, 'Disk use is 90.4 %, above 90 %.'],
    ['cpuPercent', 100, 'CPU use is 100.0 %, above 90 %.'],
  ] as const)('warns of %s above its threshold', async (name, value, finding) => {
    expect(await checkSystemHealth(probeOf({ [name]: value }))).toMatchObject({
      status: 'warning',
      findings: [finding],
    });
  });

  it('takes other thresholds, and refuses wrong ones', async () => {
    expect(await checkSystemHealth(probeOf({ cpuPercent: 50 }), { cpuPercent: 40 })).toMatchObject({
      status: 'warning',
    });
    await expect(checkSystemHealth(probeOf(), { cpuPercent: 140 })).rejects.toThrow('`cpuPercent`');
    await expect(checkSystemHealth(probeOf(), { cpu: 1 } as never)).rejects.toThrow('Unknown option `cpu`');
  });

  it('tells what it could not read, beside the rest', async () => {
    const probe = probeOf({ diskPercent: new Error('no such disk'), memoryPercent: 99 });
    expect(await checkSystemHealth(probe)).toMatchObject({
      status: 'error',
      diskPercent: undefined,
      cpuPercent: 10,
      findings: ['Disk use could not be read: no such disk', 'Memory use is 99.0 %, above 80 %.'],
    });
  });
});

describe('createSystemProbe', () => {
  it('reads this machine', async () => {
    const probe = createSystemProbe({ sampleMs: 20 });
    for (const percent of [
      await probe.cpuPercent(),
      await probe.memoryPercent(),
      await probe.diskPercent(),
    ]) {
      expect(percent).toBeGreaterThanOrEqual(0);
      expect(percent).toBeLessThanOrEqual(100);
    }
    expect(await probe.freeMemoryBytes()).toBeGreaterThan(0);
  });

  it('leaves the event loop free while it watches the processors', async () => {
    const clock = createManualClock();
    const reading = createSystemProbe({ clock }).cpuPercent();
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1_000);
    expect(await reading).toBeLessThanOrEqual(100);
  });

  it('says which disk it could not read', async () => {
    await expect(createSystemProbe({ diskPath: '/no/such/path' }).diskPercent()).rejects.toThrow(
      '/no/such/path',
    );
  });
});

describe('removeTempFiles', () => {
  const old = new Date(1_767_225_600_000 - DAY - 1_000);
  const young = new Date(1_767_225_600_000 - DAY + 1_000);

  function fill(folder: string, files: Readonly<Record<string, Date>>): void {
    for (const [name, time] of Object.entries(files)) {
      const path = join(folder, name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, 'x');
      utimesSync(path, time, time);
    }
  }

  it('removes old files at any depth and keeps young ones', async () => {
    const folder = tempFolder();
    fill(folder, { 'a.txt': old, 'b.txt': young, 'deep/er/c.txt': old, 'deep/d.txt': young });
    for (const name of ['deep/er', 'deep']) utimesSync(join(folder, name), old, old);
    expect(await removeTempFiles({ folder, clock: createManualClock() })).toBe(2);
    const left = ['a.txt', 'b.txt', 'deep/er/c.txt', 'deep/er', 'deep/d.txt'].filter((name) =>
      existsSync(join(folder, name)),
    );
    expect(left).toEqual(['b.txt', 'deep/d.txt']);
  });

  it('keeps the folder itself, and young folders that are empty', async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'empty'));
    utimesSync(join(folder, 'empty'), young, young);
    utimesSync(folder, old, old);
    expect(await removeTempFiles({ folder, clock: createManualClock() })).toBe(0);
    expect(existsSync(join(folder, 'empty'))).toBe(true);
  });

  it('does not follow links', async () => {
    const folder = tempFolder();
    const outside = tempFolder();
    fill(outside, { 'kept.txt': old });
    symlinkSync(outside, join(folder, 'link'));
    await removeTempFiles({ folder, clock: createManualClock() });
    expect(existsSync(join(outside, 'kept.txt'))).toBe(true);
  });

  it('finds nothing in a folder that does not exist', async () => {
    const logger = loggerSpy();
    expect(
      await removeTempFiles({ folder: join(tempFolder(), 'none'), logger: logger as unknown as Logger }),
    ).toBe(0);
    expect(logger.warn).not.toHaveBeenCalled();
  });

  it('logs what it cannot remove and goes on', async () => {
    const folder = tempFolder();
    const logger = loggerSpy();
    writeFileSync(join(folder, 'file'), 'x');
    // A file is no folder: its listing fails.
    expect(await removeTempFiles({ folder: join(folder, 'file'), logger: logger as unknown as Logger })).toBe(
      0,
    );
    expect(logger.warn).toHaveBeenCalledOnce();
  });
});

describe('removeOldRuns', () => {
  it('forgets what ended longer ago than a day, a thousand at a time', async () => {
    const clock = createManualClock();
    const batches = [1_000, 1_000, 7, 0];
    const asked: unknown[] = [];
    const runs = {
      remove: async (before: number, limit: number) => {
        asked.push([before, limit]);
        return Array.from({ length: batches.shift() ?? 0 }, (_, index) => `run-${index}`);
      },
    };
    expect(await removeOldRuns({ runs, clock })).toBe(2_007);
    expect(await removeOldRuns({ runs, clock, maxAgeMs: HOUR })).toBe(0);
    const dayAgo = [clock.wallTime() - DAY, 1_000];
    expect(asked).toEqual([dayAgo, dayAgo, dayAgo, [clock.wallTime() - HOUR, 1_000]]);
  });

  it('takes a run store as it is', async () => {
    const store = createMemoryRunStore();
    await store.open({ host: sampleHost('host'), maxPerKey: 1 });
    await store.add(sampleRun('run', { createdAt: 0 }));
    await store.cancel('run', 0, undefined);
    expect(await removeOldRuns({ runs: store, clock: createManualClock({ wallTime: DAY }) })).toBe(0);
    expect(await removeOldRuns({ runs: store, clock: createManualClock({ wallTime: DAY + 1 }) })).toBe(1);
  });
});

describe('maintenance', () => {
  function setup(options: MaintenanceOptions = {}) {
    const clock = createManualClock();
    const logger = loggerSpy();
    const removed: number[] = [];
    const maintenance = createMaintenance({
      clock,
      logger: logger as unknown as Logger,
      probe: probeOf({ cpuPercent: 99 }),
      tempFolder: join(tempFolder(), 'none'),
      runs: { remove: async (before) => [String(removed.push(before))] },
      statistics: () => ({ activeRuns: 3 }),
      ...options,
    });
    return { clock, logger, removed, maintenance };
  }

  it('registers its jobs with their intervals', () => {
    const { maintenance } = setup();
    const registered: unknown[] = [];
    maintenance.register({ register: (name, timing) => void registered.push([name, timing]) });
    expect(registered).toEqual([
      ['old-runs', { everyMs: HOUR }],
      ['system-health', { everyMs: 5 * 60_000 }],
      ['temp-files', { everyMs: 6 * HOUR }],
      ['statistics', { everyMs: 15 * 60_000 }],
    ]);
  });

  it('runs as periodic tasks', async () => {
    const { clock, maintenance, removed } = setup();
    const tasks = createPeriodicTasks({ clock });
    onTestFinished(async () => void (await tasks.stopAll()));
    maintenance.register(tasks);
    await tasks.startAll();
    await clock.advance(12 * HOUR);
    expect(removed).toHaveLength(13);
    const health = tasks.statistics().find(({ name }) => name === 'system-health');
    expect(health).toMatchObject({ successes: 12 * 12 + 1, errors: 0 });
  });

  it('leaves out the runs when there is no store of them', () => {
    const { maintenance } = setup({ runs: undefined } as never);
    const names: string[] = [];
    maintenance.register({ register: (name) => void names.push(name) });
    expect(names).toEqual(['system-health', 'temp-files', 'statistics']);
  });

  it('runs a job on demand, and tells and logs what it found', async () => {
    const { maintenance, logger } = setup();
    expect(await maintenance.run('old-runs')).toBe(1);
    expect(await maintenance.run('temp-files')).toBe(0);
    expect(await maintenance.run('system-health')).toMatchObject({ status: 'warning' });
    expect(await maintenance.run('statistics')).toEqual({
      cpuPercent: 99,
      memoryPercent: 10,
      diskPercent: 10,
      activeRuns: 3,
    });
    expect(logger.warn).toHaveBeenCalledWith(expect.anything(), 'CPU use is 99.0 %, above 90 %.');
    expect(logger.info).toHaveBeenCalledWith({ removed: 1 }, 'Forgot 1 old runs.');
  });
});
