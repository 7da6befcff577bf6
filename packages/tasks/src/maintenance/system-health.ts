import { checkKnownKeys, checkNumber } from '@pawl/core';
import type { SystemProbe } from './system-probe.ts';

export interface HealthThresholds {
  /** @default 80 */
  readonly memoryPercent?: number;
  /** @default 90 */
  readonly diskPercent?: number;
  /** @default 90 */
  readonly cpuPercent?: number;
}

/** All shares are percent; undefined when it could not be told. */
export interface SystemReadings {
  readonly memoryPercent: number | undefined;
  readonly diskPercent: number | undefined;
  readonly cpuPercent: number | undefined;
}

export interface SystemHealth extends SystemReadings {
  /** `error` when something could not be told, `warning` when something is above its threshold. */
  readonly status: 'healthy' | 'warning' | 'error';
  /** One sentence for each finding. */
  readonly findings: readonly string[];
}

const RESOURCES = [
  ['memoryPercent', 'Memory', 80],
  ['diskPercent', 'Disk', 90],
  ['cpuPercent', 'CPU', 90],
] as const;

/** Reads all shares at once. Never rejects. */
export async function readSystem(probe: SystemProbe): Promise<{
  readonly readings: SystemReadings;
  readonly failures: readonly string[];
}> {
  const failures: string[] = [];
  const read = async (name: (typeof RESOURCES)[number][0], noun: string): Promise<number | undefined> => {
    try {
      return await probe[name]();
    } catch (error) {
      failures.push(
        `${noun} use could not be read: ${error instanceof Error ? error.message : String(error)}`,
      );
      return undefined;
    }
  };
  const [memoryPercent, diskPercent, cpuPercent] = await Promise.all(
    RESOURCES.map(([name, noun]) => read(name, noun)),
  );
  return { readings: { memoryPercent, diskPercent, cpuPercent }, failures };
}

/**
 * Compares what is in use with what may be: above a threshold is a warning, at it is not. Never rejects.
 * @throws TypeError, RangeError for wrong thresholds
 */
export async function checkSystemHealth(
  probe: SystemProbe,
  thresholds: HealthThresholds = {},
): Promise<SystemHealth> {
  checkKnownKeys(
    'the health thresholds',
    thresholds,
    RESOURCES.map(([name]) => name),
  );
  const limits = RESOURCES.map(([name, noun, fallback]) => {
    const limit = checkNumber(name, thresholds[name] ?? fallback, { min: 0, max: 100 });
    return { name, noun, limit };
  });
  const { readings, failures } = await readSystem(probe);
  const warnings = limits.flatMap(({ name, noun, limit }) => {
    const value = readings[name];
    return value !== undefined && value > limit
      ? [`${noun} use is ${value.toFixed(1)} %, above ${limit} %.`]
      : [];
  });
  const troubled = warnings.length > 0 ? 'warning' : 'healthy';
  return {
    status: failures.length > 0 ? 'error' : troubled,
    ...readings,
    findings: [...failures, ...warnings],
  };
}
