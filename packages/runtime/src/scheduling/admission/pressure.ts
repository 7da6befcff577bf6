/** What the machine, or the container that this process lives in, has left. */
export interface Pressure {
  /** Share of the CPUs that were busy since the last sample, from 0 to 1; undefined at the first. */
  readonly cpu: number | undefined;
  /** Memory that can be had without swapping, in bytes. */
  readonly freeMemoryBytes: number;
}

/** Totals since an arbitrary start. */
export interface CpuTimes {
  /** In milliseconds, of all CPUs together. */
  readonly busyMs: number;
  /** What they could have been busy for in the same time, by their number alone. */
  readonly perSecondMs: number;
}

/** Reads the machine. */
export interface PressureProbe {
  cpuTimes(): CpuTimes;
  freeMemoryBytes(): number;
}
