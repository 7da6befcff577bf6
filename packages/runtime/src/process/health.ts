/**
 * How fit a worker is for work.
 *
 * ```text
 * unknown ─▶ healthy ◀─▶ degraded ◀─▶ unhealthy       any ─▶ unknown, when nothing was heard for long
 * ```
 *
 * To a worse class it goes at once; to a better one only after `recoverAfter` assessments in a row that say so.
 * `degraded` still takes work, after the healthy; `unhealthy` takes none.
 */
export type HealthClass = 'healthy' | 'degraded' | 'unhealthy' | 'unknown';

/**
 * Why a worker is not healthy. `unresponsive`: it gives no sign of life, so it is dead or stopped. `busy`: it answers,
 * and says that its main loop is blocked. `memory`: it holds too much. `stuck`: a run takes far longer than its task
 * usually does. `failing`: most of its last runs failed.
 */
export type HealthFault = 'unresponsive' | 'busy' | 'memory' | 'stuck' | 'failing';

/** What to do about it: `recycle` when its runs are done, `kill` now. */
export type HealthAction = 'none' | 'recycle' | 'kill';

/** One thing that is wrong, with the figure and its limit. */
export interface HealthFinding {
  readonly fault: HealthFault;
  readonly class: 'degraded' | 'unhealthy';
  readonly action: HealthAction;
  /** One sentence with the numbers. */
  readonly reason: string;
  /** The run that is stuck. */
  readonly runId?: string;
}

/** What is known of a worker at a moment. Durations in milliseconds; what is not known is undefined. */
export interface HealthFacts {
  /** Since anything was heard of it: a pong, an answer, a chunk. `undefined` before the first. */
  readonly silentMs: number | undefined;
  /** Pings in a row that were not answered in time. */
  readonly missedPings: number;
  /** How long its main loop had been blocked, by its last pong. */
  readonly lagMs: number | undefined;
  readonly runsActive: number;
  readonly rssBytes: number | undefined;
  /** The run that is furthest beyond its usual time. `usualMs` is undefined for a task not seen often enough. */
  readonly slowestRun:
    | {
        readonly runId: string;
        readonly task: string;
        readonly runningMs: number;
        readonly usualMs: number | undefined;
      }
    | undefined;
  /** Of its last runs the share that failed, from 0 to 1; undefined when there were too few. */
  readonly failureRate: number | undefined;
}

export interface HealthLimits {
  /** Pings in a row that may be missed; one more is a dead or stopped process. @default 2 */
  readonly maxMissedPings?: number;
  /** A main loop blocked for longer is `busy`, in milliseconds. @default 1000 */
  readonly maxLagMs?: number;
  /** More resident memory than this asks for a replacement. @default Infinity */
  readonly maxRssBytes?: number;
  /** Memory that is not waited with: the worker is killed with its runs. @default Infinity */
  readonly killRssBytes?: number;
  /** How many times its usual time a run may take before it is stuck. @default 10 */
  readonly stuckFactor?: number;
  /** No run is stuck before it took this long, in milliseconds. @default 30000 */
  readonly stuckMinMs?: number;
  /** A larger share of failed runs is `failing`. @default 0.5 */
  readonly maxFailureRate?: number;
  /** Nothing heard for longer, and no ping missed either: nothing is known. In milliseconds. @default 120000 */
  readonly forgetMs?: number;
  /** Good assessments in a row before the class gets better. @default 2 */
  readonly recoverAfter?: number;
}

export interface HealthReport {
  readonly class: HealthClass;
  /** The gravest of the findings' actions. */
  readonly action: HealthAction;
  /** What is wrong now, gravest first. Empty while a worker is on its way back. */
  readonly findings: readonly HealthFinding[];
  /** Assessments in a row that were better than `class`. */
  readonly better: number;
}

export const DEFAULT_HEALTH_LIMITS: Required<HealthLimits> = {
  maxMissedPings: 2,
  maxLagMs: 1_000,
  maxRssBytes: Infinity,
  killRssBytes: Infinity,
  stuckFactor: 10,
  stuckMinMs: 30_000,
  maxFailureRate: 0.5,
  forgetMs: 120_000,
  recoverAfter: 2,
};

/** A limit that was exceeded counts until the figure is this share of it, so that one near the limit does not flutter. */
const LEAVE_SHARE = 0.9;
const CLASS_ORDER: readonly HealthClass[] = ['healthy', 'degraded', 'unhealthy'];
const ACTION_ORDER: readonly HealthAction[] = ['none', 'recycle', 'kill'];

/** Before anything was heard. */
export const UNKNOWN_HEALTH: HealthReport = { class: 'unknown', action: 'none', findings: [], better: 0 };

/** Judges a worker. Pure: the same facts after the same report give the same report. */
export function assessHealth(
  facts: HealthFacts,
  previous: HealthReport = UNKNOWN_HEALTH,
  limits: Required<HealthLimits> = DEFAULT_HEALTH_LIMITS,
): HealthReport {
  const findings = findingsOf(facts, previous, limits).toSorted(
    (a, b) =>
      ACTION_ORDER.indexOf(b.action) - ACTION_ORDER.indexOf(a.action) ||
      CLASS_ORDER.indexOf(b.class) - CLASS_ORDER.indexOf(a.class),
  );
  const action = findings[0]?.action ?? 'none';
  const silent = facts.silentMs === undefined || facts.silentMs > limits.forgetMs;
  if (silent && facts.missedPings === 0 && findings.length === 0) return { ...UNKNOWN_HEALTH, findings };
  const now: HealthClass = findings.some((finding) => finding.class === 'unhealthy')
    ? 'unhealthy'
    : findings.length > 0
      ? 'degraded'
      : 'healthy';
  const isBetter =
    previous.class !== 'unknown' && CLASS_ORDER.indexOf(now) < CLASS_ORDER.indexOf(previous.class);
  if (!isBetter) return { class: now, action, findings, better: 0 };
  const better = previous.better + 1;
  return better < limits.recoverAfter
    ? { class: previous.class, action, findings, better }
    : { class: now, action, findings, better: 0 };
}

function findingsOf(
  facts: HealthFacts,
  previous: HealthReport,
  limits: Required<HealthLimits>,
): HealthFinding[] {
  const findings: HealthFinding[] = [];
  const had = (fault: HealthFault): boolean => previous.findings.some((finding) => finding.fault === fault);
  const exceeds = (fault: HealthFault, value: number | undefined, limit: number): boolean =>
    value !== undefined && value > limit * (had(fault) ? LEAVE_SHARE : 1);

  if (facts.missedPings > limits.maxMissedPings) {
    findings.push({
      fault: 'unresponsive',
      class: 'unhealthy',
      action: 'kill',
      reason: `It gave no answer to ${facts.missedPings} pings in a row.`,
    });
  }
  if (exceeds('memory', facts.rssBytes, limits.maxRssBytes)) {
    const kill = (facts.rssBytes ?? 0) > limits.killRssBytes;
    findings.push({
      fault: 'memory',
      class: kill ? 'unhealthy' : 'degraded',
      action: kill ? 'kill' : 'recycle',
      reason: `It holds ${facts.rssBytes} bytes of memory; ${kill ? limits.killRssBytes : limits.maxRssBytes} are allowed.`,
    });
  }
  if (exceeds('busy', facts.lagMs, limits.maxLagMs)) {
    // Without a run there is nothing that the loop could rightly be busy with.
    const rightly = facts.runsActive > 0;
    findings.push({
      fault: 'busy',
      class: 'degraded',
      action: rightly ? 'none' : 'recycle',
      reason: `Its main loop has been blocked for ${facts.lagMs} ms, with ${facts.runsActive} runs.`,
    });
  }
  const run = facts.slowestRun;
  if (
    run?.usualMs !== undefined &&
    run.runningMs > Math.max(limits.stuckMinMs, limits.stuckFactor * run.usualMs)
  ) {
    findings.push({
      fault: 'stuck',
      class: 'degraded',
      // The run has its own time limit, which ends it.
      action: 'none',
      reason: `Run ${run.runId} of "${run.task}" has taken ${Math.round(run.runningMs)} ms, usually ${Math.round(run.usualMs)} ms.`,
      runId: run.runId,
    });
  }
  if (exceeds('failing', facts.failureRate, limits.maxFailureRate)) {
    findings.push({
      fault: 'failing',
      class: 'degraded',
      action: 'none',
      reason: `Of its last runs ${Math.round(100 * (facts.failureRate ?? 0))} % failed.`,
    });
  }
  return findings;
}
