import { checkAtMost, checkDurationMs, checkInteger, checkKnownKeys } from '@pawl/core';

/** What a program may use. Each limit that ends a program is named in its result. */
export interface ExecutionLimits {
  /** From its start to its end, in milliseconds. @default 3000 */
  readonly wallMs: number;
  /** Of the processor, all its processes together, in milliseconds. @default 3000 */
  readonly cpuMs: number;
  /** Address space of each process, and private memory of all of them together, in bytes. @default 268435456 (256 MiB) */
  readonly memoryBytes: number;
  /** Processes and threads at the same time, itself included. @default 16 */
  readonly processes: number;
  /** Open files of each process. @default 64 */
  readonly openFiles: number;
  /** Length of each file it writes, in bytes. @default 8388608 (8 MiB) */
  readonly fileBytes: number;
  /** Of stdout and of stderr each, in bytes of UTF-8. @default 524288 (512 KiB) */
  readonly outputBytes: number;
}

export const DEFAULT_LIMITS: ExecutionLimits = Object.freeze({
  wallMs: 3_000,
  cpuMs: 3_000,
  memoryBytes: 256 * 1024 * 1024,
  processes: 16,
  openFiles: 64,
  fileBytes: 8 * 1024 * 1024,
  outputBytes: 512 * 1024,
});

/** The most that a request may ask for. */
export const DEFAULT_MAX_LIMITS: ExecutionLimits = Object.freeze({
  wallMs: 10_000,
  cpuMs: 10_000,
  memoryBytes: 512 * 1024 * 1024,
  processes: 32,
  openFiles: 256,
  fileBytes: 16 * 1024 * 1024,
  outputBytes: 512 * 1024,
});

/** The least with which an interpreter runs at all. */
const LEAST: ExecutionLimits = {
  wallMs: 1,
  cpuMs: 1,
  memoryBytes: 64 * 1024 * 1024,
  processes: 1,
  openFiles: 16,
  fileBytes: 0,
  outputBytes: 0,
};

const NAMES = Object.keys(DEFAULT_LIMITS) as readonly (keyof ExecutionLimits)[];

/**
 * Checks limits and fills in the missing ones.
 * @param name how the option is called, for messages
 * @param max what none of them may exceed; a default that does is cut to it
 * @throws TypeError, RangeError
 */
export function resolveLimits(
  name: string,
  limits: Partial<ExecutionLimits>,
  defaults: ExecutionLimits,
  max?: ExecutionLimits,
): ExecutionLimits {
  checkKnownKeys(name, limits, NAMES);
  return Object.fromEntries(
    NAMES.map((key) => {
      const given = limits[key];
      const most = max?.[key] ?? Infinity;
      if (given === undefined) return [key, Math.min(defaults[key], most)];
      const check = key.endsWith('Ms') ? checkDurationMs : checkInteger;
      check(`${name}.${key}`, given, { min: LEAST[key] });
      if (max !== undefined) checkAtMost(`${name}.${key}`, given, `maxLimits.${key}`, most);
      return [key, given];
    }),
  ) as unknown as ExecutionLimits;
}
