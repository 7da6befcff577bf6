import process from 'node:process';
import type { RunRegister } from './run-register.ts';

/** What a worker answers to `ping`. */
export interface WorkerHealth {
  readonly pid: number;
  readonly uptimeMs: number;
  readonly rssBytes: number;
  /** Runs taken and not yet answered. */
  readonly runsActive: number;
  /** Runs answered, whatever the answer. */
  readonly runsDone: number;
  /** Those of them that were answered with an error. */
  readonly runsFailed: number;
  /** How long the main thread has been kept by user code, in milliseconds. */
  readonly lagMs: number;
}

/** Told by either thread: both are of one process. */
export function workerHealth(register: RunRegister, lagMs: number): WorkerHealth {
  return {
    pid: process.pid,
    uptimeMs: Math.round(process.uptime() * 1_000),
    rssBytes: process.memoryUsage.rss(),
    runsActive: register.runsActive,
    runsDone: register.runsDone,
    runsFailed: register.runsFailed,
    lagMs: Math.round(lagMs),
  };
}
