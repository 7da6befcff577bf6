import type { Http } from './http.ts';

export type PatternName =
  | 'simple'
  | 'long-running'
  | 'concurrent'
  | 'fire-and-forget'
  | 'periodic'
  | 'pooled';

/** What is known of the work. */
export interface WorkTraits {
  readonly expectedDurationMs?: number;
  readonly needsLiveOutput?: boolean;
  readonly concurrentRuns?: number;
  readonly needsResult?: boolean;
  readonly recurring?: boolean;
  readonly runsPerMinute?: number;
}

export interface PatternAdvice {
  readonly pattern: PatternName;
  readonly reasons: readonly string[];
  readonly runnersUp: readonly { readonly pattern: PatternName; readonly reason: string }[];
}

/** One line of the comparison. */
export interface PatternComparison {
  readonly name: PatternName;
  readonly entry: string;
  readonly answers: string;
  readonly output: string;
  readonly atOnce: string;
  readonly keptAfterRestart: string;
  readonly cancel: string;
}

export interface PatternExplanation {
  readonly name: PatternName;
  readonly entry: string;
  readonly useWhen: string;
  readonly benefits: readonly string[];
  readonly limitations: readonly string[];
  readonly example: string;
}

export interface AdvisorApi {
  recommend(traits: WorkTraits): Promise<PatternAdvice>;
  compare(signal?: AbortSignal): Promise<readonly PatternComparison[]>;
  explain(name: PatternName, signal?: AbortSignal): Promise<PatternExplanation>;
}

export function createAdvisorApi(http: Http): AdvisorApi {
  return {
    recommend: async (traits) => http.json('POST', '/v1/advisor/recommend', { body: { traits } }),
    async compare(signal) {
      const path = '/v1/advisor/patterns';
      return (await http.json<{ patterns: readonly PatternComparison[] }>('GET', path, { signal })).patterns;
    },
    explain: async (name, signal) => http.json('GET', `/v1/advisor/patterns/${name}`, { signal }),
  };
}
