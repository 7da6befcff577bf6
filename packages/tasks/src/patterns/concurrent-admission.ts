import { checkInteger, checkKnownKeys, checkNumber } from '@pawl/core';
import { createSystemProbe, type SystemProbe } from '../maintenance/system-probe.ts';
import type { ModuleItem } from './concurrent.ts';

export interface AdmissionVerdict {
  readonly admitted: boolean;
  /** Why not, in one sentence. */
  readonly reason?: string;
}

/** Decides whether an item may start now. One that throws fails the item. */
export type Admission = (item: ModuleItem) => AdmissionVerdict | Promise<AdmissionVerdict>;

export interface ResourceAdmissionOptions {
  /** The processors may be busy up to this share. @default 80 */
  readonly maxCpuPercent?: number;
  /** Memory that must be free, in bytes. @default 4294967296 (4 GiB) */
  readonly minFreeMemoryBytes?: number;
  /** @default createSystemProbe({ sampleMs: 100 }) */
  readonly probe?: Pick<SystemProbe, 'cpuPercent' | 'freeMemoryBytes'>;
}

/** Admits items while the machine has processors and memory to spare. @throws TypeError, RangeError for wrong options */
export function resourceAdmission(options: ResourceAdmissionOptions = {}): Admission {
  checkKnownKeys('resourceAdmission', options, ['maxCpuPercent', 'minFreeMemoryBytes', 'probe']);
  const maxCpu = checkNumber('maxCpuPercent', options.maxCpuPercent ?? 80, { min: 0, max: 100 });
  const minFree = checkInteger('minFreeMemoryBytes', options.minFreeMemoryBytes ?? 4 * 1_024 ** 3, {
    min: 0,
  });
  const probe = options.probe ?? createSystemProbe({ sampleMs: 100 });
  return async () => {
    const [cpu, free] = await Promise.all([probe.cpuPercent(), probe.freeMemoryBytes()]);
    const lacks: string[] = [];
    if (cpu > maxCpu) lacks.push(`the CPU is ${cpu.toFixed(1)} % busy, above ${maxCpu} %`);
    if (free < minFree) lacks.push(`${mebibytes(free)} of memory are free, below ${mebibytes(minFree)}`);
    return lacks.length === 0
      ? { admitted: true }
      : { admitted: false, reason: `Not enough resources: ${lacks.join('; ')}.` };
  };
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1_024 ** 2)} MiB`;
}
