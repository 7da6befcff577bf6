import {
  checkBoolean,
  checkDurationMs,
  checkInteger,
  checkKnownKeys,
  checkNumber,
  checkOneOf,
} from '@pawl/core';
import {
  catalogue,
  type PatternComparison,
  type PatternExplanation,
  type PatternName,
  patternNames,
} from './pattern-advisor-catalogue.ts';

/** What is known of the work. Leave out what is not. */
export interface WorkTraits {
  /** How long one run takes, in milliseconds. */
  readonly expectedDurationMs?: number;
  /** Whether output is wanted while it runs. @default false */
  readonly needsLiveOutput?: boolean;
  /** Runs that are wanted together. @default 1 */
  readonly concurrentRuns?: number;
  /** Whether the caller waits for the result. @default true */
  readonly needsResult?: boolean;
  /** Whether it happens again and again by itself. @default false */
  readonly recurring?: boolean;
  /** How often it is called. @default 0 */
  readonly runsPerMinute?: number;
}

export interface PatternAdvice {
  readonly pattern: PatternName;
  /** Why this one, in sentences that name the numbers. */
  readonly reasons: readonly string[];
  /** What else would fit, best first. */
  readonly runnersUp: readonly { readonly pattern: PatternName; readonly reason: string }[];
}

/** Longer runs are worth watching. */
const LONG_MS = 60_000;
/** More starts than this are worth saving. */
const FREQUENT_PER_MINUTE = 10;

const KEYS: readonly (keyof WorkTraits)[] = [
  'expectedDurationMs',
  'needsLiveOutput',
  'concurrentRuns',
  'needsResult',
  'recurring',
  'runsPerMinute',
];

/**
 * Recommends a pattern: the first of periodic, long-running, concurrent, fire-and-forget and pooled that the traits
 * ask for, and simple when they ask for none. The others they ask for are the runners-up.
 * @throws TypeError, RangeError for wrong traits
 */
export function advisePattern(traits: WorkTraits = {}): PatternAdvice {
  const wanted = [...wantedPatterns(traits), { pattern: 'simple' as const, reason: simpleReason(traits) }];
  const [first] = wanted;
  const pattern = first?.pattern ?? 'simple';
  return {
    pattern,
    reasons: wanted.filter((other) => other.pattern === pattern).map(({ reason }) => reason),
    runnersUp: wanted.filter(
      (other, index) =>
        other.pattern !== pattern && wanted.findIndex((same) => same.pattern === other.pattern) === index,
    ),
  };
}

function wantedPatterns(
  traits: WorkTraits,
): readonly { readonly pattern: PatternName; readonly reason: string }[] {
  checkKnownKeys('advisePattern', traits, KEYS);
  const durationMs = checkDurationMs('expectedDurationMs', traits.expectedDurationMs ?? 0, {
    infinite: true,
  });
  const runs = checkInteger('concurrentRuns', traits.concurrentRuns ?? 1, { min: 1 });
  const perMinute = checkNumber('runsPerMinute', traits.runsPerMinute ?? 0, { min: 0 });
  const wanted: { pattern: PatternName; reason: string }[] = [];
  const want = (is: boolean, pattern: PatternName, reason: string): void => {
    if (is) wanted.push({ pattern, reason });
  };
  want(
    checkBoolean('recurring', traits.recurring ?? false),
    'periodic',
    'It recurs, so it needs a schedule that outlives each run.',
  );
  want(
    checkBoolean('needsLiveOutput', traits.needsLiveOutput ?? false),
    'long-running',
    'Its output is wanted while it runs.',
  );
  want(
    durationMs > LONG_MS,
    'long-running',
    `It takes ${durationMs / 1_000} s, longer than ${LONG_MS / 1_000} s: people want to see how far it is.`,
  );
  want(runs > 1, 'concurrent', `${runs} runs are wanted together, so they need a bound.`);
  want(
    !checkBoolean('needsResult', traits.needsResult ?? true),
    'fire-and-forget',
    'Nobody waits for the result, so an id to ask for it is enough.',
  );
  want(
    perMinute > FREQUENT_PER_MINUTE,
    'pooled',
    `It runs ${perMinute} times a minute, more than ${FREQUENT_PER_MINUTE}: starting each time would cost too much.`,
  );
  return wanted;
}

function simpleReason({ expectedDurationMs }: WorkTraits): string {
  return expectedDurationMs !== undefined && expectedDurationMs <= LONG_MS
    ? `It takes ${expectedDurationMs / 1_000} s: one call that waits for the end is enough.`
    : 'One call that waits for the end is the least that can go wrong.';
}

/** What a pattern is for, what it gives and what it costs. @throws TypeError for a name nobody knows */
export function explainPattern(name: PatternName): PatternExplanation {
  const { entry, useWhen, benefits, limitations, example } =
    catalogue[checkOneOf('name', name, patternNames)];
  return { name, entry, useWhen, benefits, limitations, example };
}

/** The six patterns side by side. */
export function comparePatterns(): readonly PatternComparison[] {
  return patternNames.map((pattern) => {
    const { name, entry, answers, output, atOnce, keptAfterRestart, cancel } = catalogue[pattern];
    return { name, entry, answers, output, atOnce, keptAfterRestart, cancel };
  });
}
