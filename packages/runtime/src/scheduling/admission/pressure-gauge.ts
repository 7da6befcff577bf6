import type { Clock } from '@pawl/core';
import type { CpuTimes, Pressure, PressureProbe } from './pressure.ts';

/** Tells the pressure on demand. Sets no timer. */
export interface PressureGauge {
  read(): Pressure;
}

/** A sample is used for so long, in milliseconds: reading the machine takes some tenths of one. */
export const SAMPLE_MS = 1_000;
/** The mean over a longer time says nothing about now. */
const STALE_MS = 10_000;

/** @param probe is asked at most once in {@link SAMPLE_MS} */
export function createPressureGauge(probe: PressureProbe, clock: Clock): PressureGauge {
  let sampledAt = -Infinity;
  let times: CpuTimes | undefined;
  let pressure: Pressure | undefined;
  return {
    read() {
      const now = clock.now();
      const passedMs = now - sampledAt;
      if (pressure !== undefined && passedMs < SAMPLE_MS) return pressure;
      const before = passedMs > STALE_MS ? undefined : times;
      times = probe.cpuTimes();
      sampledAt = now;
      pressure = {
        cpu: before && busyShare(before, times, passedMs),
        freeMemoryBytes: probe.freeMemoryBytes(),
      };
      return pressure;
    },
  };
}

function busyShare(before: CpuTimes, now: CpuTimes, passedMs: number): number {
  const couldMs = (now.perSecondMs * passedMs) / 1_000;
  return Math.min(1, Math.max(0, (now.busyMs - before.busyMs) / couldMs));
}
