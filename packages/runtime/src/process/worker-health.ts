import type { Clock } from '@pawl/core';
import {
  assessHealth,
  DEFAULT_HEALTH_LIMITS,
  type HealthFacts,
  type HealthLimits,
  type HealthReport,
  UNKNOWN_HEALTH,
} from './health.ts';

export interface WorkerHealthOptions {
  readonly limits: HealthLimits;
  /** What the runs of a task usually take, in milliseconds; undefined while too few were seen. */
  readonly usualMs: (task: string) => number | undefined;
  readonly clock: Clock;
}

/** A run that a worker executes. */
export interface RunUnderWay {
  readonly runId: string;
  readonly task: string;
  /** On the clock of the health. */
  readonly begunAt: number;
}

/**
 * What is known of one worker, gathered as it comes and judged when asked. Sets no timer: its pool pings. Every `at` is
 * on its clock: whoever tells of thousands of runs a second has looked at it already.
 */
export interface WorkerHealth {
  /** Anything was heard of it. */
  noteSign(at: number): void;
  notePong(
    pong: {
      readonly rssBytes: number | undefined;
      readonly lagMs: number | undefined;
      readonly runsActive: number | undefined;
    },
    at: number,
  ): void;
  /** A ping was not answered in time. */
  noteMissedPing(): void;
  /** A ping was not answered in time, but the process used the CPU meanwhile: it lives, and is busy. */
  noteSilentWork(at: number): void;
  noteRunEnded(succeeded: boolean, at: number): void;
  /** Judges it now, once for each round of pings: the hysteresis counts these calls. */
  assess(executing: readonly RunUnderWay[]): HealthReport;
  /** The last judgement. */
  readonly report: HealthReport;
  /** When it was last heard of; undefined before the first sign. */
  readonly heardAt: number | undefined;
  /** Resident memory as it last said, in bytes. */
  readonly rssBytes: number | undefined;
  /** Of its last runs the share that failed; old ones count less and less. */
  readonly failureRate: number;
}

/** Weight that a run keeps with each that follows: the last 20 or so count. */
const KEPT = 0.95;
/** Fewer runs than this say nothing. */
const FEWEST_RUNS = 10;

export function createWorkerHealth({ limits, usualMs, clock }: WorkerHealthOptions): WorkerHealth {
  const resolved = { ...DEFAULT_HEALTH_LIMITS, ...limits };
  let heardAt: number | undefined;
  let missedPings = 0;
  let lagMs: number | undefined;
  let saidActive = 0;
  let rssBytes: number | undefined;
  let report = UNKNOWN_HEALTH;
  let failed = 0;
  let weight = 0;
  let ended = 0;

  function noteSign(at: number): void {
    heardAt = at;
    missedPings = 0;
    lagMs = undefined;
    saidActive = 0;
  }

  function slowestOf(executing: readonly RunUnderWay[], now: number): HealthFacts['slowestRun'] {
    let slowest: HealthFacts['slowestRun'];
    let most = -1;
    for (const { runId, task, begunAt } of executing) {
      const runningMs = now - begunAt;
      const usual = usualMs(task);
      const times = usual === undefined ? 0 : runningMs / Math.max(usual, 1);
      if (times <= most) continue;
      most = times;
      slowest = { runId, task, runningMs, usualMs: usual };
    }
    return slowest;
  }

  const failureRate = (): number => (weight === 0 ? 0 : failed / weight);

  return {
    noteSign,
    notePong(pong, at) {
      noteSign(at);
      lagMs = pong.lagMs;
      saidActive = pong.runsActive ?? 0;
      rssBytes = pong.rssBytes ?? rssBytes;
    },
    noteMissedPing() {
      missedPings += 1;
      lagMs = undefined;
    },
    noteSilentWork(at) {
      missedPings = 0;
      lagMs = at - (heardAt ?? at);
    },
    noteRunEnded(succeeded, at) {
      noteSign(at);
      ended += 1;
      failed = failed * KEPT + (succeeded ? 0 : 1);
      weight = weight * KEPT + 1;
    },
    assess(executing) {
      const now = clock.now();
      report = assessHealth(
        {
          silentMs: heardAt === undefined ? undefined : now - heardAt,
          missedPings,
          lagMs,
          rssBytes,
          // A run may have ended here that was there when the worker said how long its loop had been blocked.
          runsActive: Math.max(executing.length, saidActive),
          slowestRun: slowestOf(executing, now),
          failureRate: ended < FEWEST_RUNS ? undefined : failureRate(),
        },
        report,
        resolved,
      );
      return report;
    },
    get report() {
      return report;
    },
    get heardAt() {
      return heardAt;
    },
    get rssBytes() {
      return rssBytes;
    },
    get failureRate() {
      return failureRate();
    },
  };
}
