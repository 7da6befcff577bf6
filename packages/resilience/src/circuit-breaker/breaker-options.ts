import {
  checkAtMost,
  checkBoolean,
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkNumber,
  checkOneOf,
  checkString,
  type Clock,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '@pawl/core';
import { asDelayMs, type Backoff } from '../retry/backoff.ts';
import { type JitterOption, resolveJitter } from '../retry/jitter.ts';
import { retryAfterOf } from '../retry/retryable.ts';
import { type BreakerSnapshot, checkSnapshot } from './breaker-snapshot.ts';
import { CountWindow, FailureStreak, type FailureWindow, TimeWindow } from './failure-window.ts';

export interface CircuitBreakerOptions {
  /** Names it in errors and events. @default 'The circuit' */
  readonly name?: string;
  /**
   * What failures are counted in: the last `windowMs`, the last `windowCalls` calls, or an unbroken row.
   * @default 'time-window'
   */
  readonly rule?: 'time-window' | 'count-window' | 'consecutive';
  /** It opens when this many calls of the window, or in a row, failed. @default 5 */
  readonly failureThreshold?: number;
  /**
   * It opens when this share of the window's calls failed, above 0 and up to 1, reached or passed. Replaces
   * `failureThreshold`; not for `consecutive`. @default none
   */
  readonly failureRate?: number;
  /** The calls a window must hold before it can open, so that one failure at night is no outage. @default 5 */
  readonly minCalls?: number;
  /** The length of the time window, in milliseconds; counted in 60ths. @default 60_000 */
  readonly windowMs?: number;
  /** The length of the count window. @default 100 */
  readonly windowCalls?: number;
  /** A call that takes longer counts as failed though it succeeds, in milliseconds. @default Infinity */
  readonly slowCallMs?: number;
  /**
   * How long it stays open, in milliseconds; or a backoff, whose attempt is how many times it has opened since it
   * last recovered. A failure that carries a longer `retryAfterMs` prolongs it. @default 60_000
   */
  readonly openMs?: number | Backoff;
  /** Spreads the open time, so that many processes do not probe together. @default false */
  readonly jitter?: JitterOption;
  /** The longest open time that a failure's `retryAfterMs` can ask for, in milliseconds. @default 300_000 */
  readonly maxRetryAfterMs?: number;
  /** It closes when this many probes succeeded. @default 3 */
  readonly successThreshold?: number;
  /** Probes running at one time; never more than are still needed. @default successThreshold */
  readonly maxProbes?: number;
  /** Failed probes it bears before it opens again. @default 0 */
  readonly maxProbeFailures?: number;
  /**
   * How long a probe keeps its permit, in milliseconds: one that hangs can't keep the breaker half-open.
   * @default openMs, or 60_000 when that is a backoff
   */
  readonly probeTimeoutMs?: number;
  /** Whether a probe that lost its permit counts for nothing or as failed. @default 'ignored' */
  readonly expiredProbe?: 'ignored' | 'failure';
  /** After closing, the share of admitted calls grows to all over this time, in milliseconds; 0 is at once. @default 0 */
  readonly rampUpMs?: number;
  /** The share of calls admitted when a ramp-up begins, above 0 and up to 1. @default 0.1 */
  readonly rampUpFrom?: number;
  /**
   * Whether an error speaks against the other side. Others are ignored: they count neither as failure nor success.
   * Not asked about calls that the caller cancelled nor about refusals of an inner policy, which are ignored always.
   * @default every error does
   */
  readonly isFailure?: (error: unknown) => boolean;
  /** Whether a result speaks against the other side. It is returned all the same. @default none does */
  readonly isFailureResult?: (result: unknown) => boolean;
  /**
   * Whether to go through all states, count and tell, but let the calls through that it would refuse, unless somebody
   * isolates it. To see what a breaker would do before it does it; what such calls come to is not counted.
   * @default false
   */
  readonly observeOnly?: boolean;
  /** What `toJSON` gave, to go on from there. @default none */
  readonly restore?: BreakerSnapshot;
  /** @default systemClock */
  readonly clock?: Clock;
  /** The source of the jitter. @default systemRandom */
  readonly random?: Random;
  /** Told of listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

export interface ResolvedBreakerOptions {
  readonly name: string;
  readonly createWindow: () => FailureWindow;
  /** Whether what the window counts opens the breaker. */
  readonly tripsAt: (window: FailureWindow) => boolean;
  readonly openMsFor: (opens: number, previousMs: number | undefined, cause: unknown) => number;
  readonly slowCallMs: number;
  readonly successThreshold: number;
  readonly maxProbes: number;
  readonly maxProbeFailures: number;
  readonly probeTimeoutMs: number;
  readonly expiredProbe: 'ignored' | 'failure';
  readonly rampUpMs: number;
  readonly rampUpFrom: number;
  readonly isFailure: (error: unknown) => boolean;
  readonly isFailureResult: ((result: unknown) => boolean) | undefined;
  readonly observeOnly: boolean;
  readonly restore: BreakerSnapshot | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

const KEYS: readonly (keyof CircuitBreakerOptions)[] = [
  'name',
  'rule',
  'failureThreshold',
  'failureRate',
  'minCalls',
  'windowMs',
  'windowCalls',
  'slowCallMs',
  'openMs',
  'jitter',
  'maxRetryAfterMs',
  'successThreshold',
  'maxProbes',
  'maxProbeFailures',
  'probeTimeoutMs',
  'expiredProbe',
  'rampUpMs',
  'rampUpFrom',
  'isFailure',
  'isFailureResult',
  'observeOnly',
  'restore',
  'clock',
  'random',
  'logger',
];

const DEFAULT_OPEN_MS = 60_000;

/** @throws TypeError, RangeError naming the option that is wrong or unknown */
export function resolveBreakerOptions(options: CircuitBreakerOptions): ResolvedBreakerOptions {
  checkKnownKeys('circuitBreaker', options, KEYS);
  const successThreshold = checkInteger('successThreshold', options.successThreshold ?? 3, { min: 1 });
  const defaultProbeMs = typeof options.openMs === 'number' ? options.openMs : DEFAULT_OPEN_MS;
  const { isFailureResult, restore } = options;
  return {
    ...resolveRule(options),
    name: checkString('name', options.name ?? 'The circuit'),
    openMsFor: resolveOpenMs(options),
    slowCallMs: checkDurationMs('slowCallMs', options.slowCallMs ?? Infinity, { infinite: true }),
    successThreshold,
    maxProbes: checkInteger('maxProbes', options.maxProbes ?? successThreshold, { min: 1 }),
    maxProbeFailures: checkInteger('maxProbeFailures', options.maxProbeFailures ?? 0, { min: 0 }),
    probeTimeoutMs: checkDurationMs('probeTimeoutMs', options.probeTimeoutMs ?? defaultProbeMs, {
      infinite: true,
    }),
    expiredProbe: checkOneOf('expiredProbe', options.expiredProbe ?? 'ignored', ['ignored', 'failure']),
    rampUpMs: checkDurationMs('rampUpMs', options.rampUpMs ?? 0),
    rampUpFrom: checkShare('rampUpFrom', options.rampUpFrom ?? 0.1),
    isFailure: checkFunction('isFailure', options.isFailure ?? (() => true)),
    isFailureResult:
      isFailureResult === undefined ? undefined : checkFunction('isFailureResult', isFailureResult),
    observeOnly: checkBoolean('observeOnly', options.observeOnly ?? false),
    restore: restore === undefined ? undefined : checkSnapshot('restore', restore),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}

function resolveRule(
  options: CircuitBreakerOptions,
): Pick<ResolvedBreakerOptions, 'createWindow' | 'tripsAt'> {
  const rule = checkOneOf('rule', options.rule ?? 'time-window', [
    'time-window',
    'count-window',
    'consecutive',
  ]);
  const windowMs = checkDurationMs('windowMs', options.windowMs ?? 60_000, { min: 1 });
  const windowCalls = checkInteger('windowCalls', options.windowCalls ?? 100, { min: 1 });
  const most = rule === 'count-window' ? windowCalls : Infinity;
  const threshold = checkInteger('failureThreshold', options.failureThreshold ?? Math.min(5, most), {
    min: 1,
  });
  const minCalls = checkInteger('minCalls', options.minCalls ?? Math.min(5, most), { min: 1 });
  checkAtMost('failureThreshold', threshold, 'windowCalls', most);
  checkAtMost('minCalls', minCalls, 'windowCalls', most);
  if (rule === 'consecutive') {
    if (options.failureRate !== undefined) {
      throw new TypeError('Expected no `failureRate` with the rule `consecutive`: a row has no rate.');
    }
    return { createWindow: () => new FailureStreak(), tripsAt: (window) => window.failures >= threshold };
  }
  const createWindow = (): FailureWindow =>
    rule === 'count-window' ? new CountWindow(windowCalls) : new TimeWindow(windowMs);
  if (options.failureRate === undefined) {
    return { createWindow, tripsAt: ({ calls, failures }) => calls >= minCalls && failures >= threshold };
  }
  const rate = checkShare('failureRate', options.failureRate);
  return { createWindow, tripsAt: ({ calls, failures }) => calls >= minCalls && failures >= rate * calls };
}

function resolveOpenMs(options: CircuitBreakerOptions): ResolvedBreakerOptions['openMsFor'] {
  const { openMs = DEFAULT_OPEN_MS } = options;
  const random = checkFunction('random', options.random ?? systemRandom);
  const jitter = resolveJitter(options.jitter ?? false);
  const mostAskedMs = checkDurationMs('maxRetryAfterMs', options.maxRetryAfterMs ?? 300_000, {
    infinite: true,
  });
  if (typeof openMs !== 'function') checkDurationMs('openMs', openMs, { infinite: true });
  return (opens, previousDelayMs, cause) => {
    const base =
      typeof openMs === 'function' ? asDelayMs(openMs(opens, { previousDelayMs, random })) : openMs;
    const ownMs = jitter === undefined || base === Infinity ? base : asDelayMs(jitter(base, random));
    return Math.max(ownMs, Math.min(retryAfterOf(cause) ?? 0, mostAskedMs));
  };
}

function checkShare(name: string, value: number): number {
  checkNumber(name, value, { min: 0, max: 1 });
  if (value === 0)
    throw new RangeError(`Expected \`${name}\` to be a number above 0 and up to 1, got \`0\` (number).`);
  return value;
}
