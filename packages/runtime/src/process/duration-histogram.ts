/** What a histogram of durations knows, all of it in milliseconds. Percentiles are exact to 1/8. */
export interface DurationSummary {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Counts durations in buckets that grow with them, at the cost of one addition each. */
export interface DurationHistogram {
  record(ms: number): void;
  summary(): DurationSummary;
}

/** Buckets for each doubling, as a power of two: they are 1/8 wide, like those of an HdrHistogram with one digit. */
const SUB_BITS = 3;
const SUB_BUCKETS = 1 << SUB_BITS;
/** The longest that is told apart, in microseconds: 35 minutes. */
const LONGEST = 2 ** 31 - 1;

/** The bucket of a number of microseconds: its highest bit, then the three below it. */
function bucketOf(micros: number): number {
  if (micros < SUB_BUCKETS) return micros;
  const highest = 31 - Math.clz32(micros);
  return ((highest - SUB_BITS + 1) << SUB_BITS) + ((micros >> (highest - SUB_BITS)) & (SUB_BUCKETS - 1));
}

/** The middle of a bucket, in microseconds. */
function middleOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const shift = (bucket >> SUB_BITS) - 1;
  return (SUB_BUCKETS + (bucket & (SUB_BUCKETS - 1)) + 0.5) * 2 ** shift;
}

export function createDurationHistogram(): DurationHistogram {
  const counts = new Float64Array(bucketOf(LONGEST) + 1);
  let count = 0;
  let total = 0;
  let min = Infinity;
  let max = 0;

  function percentile(share: number): number {
    let left = Math.ceil(count * share);
    for (const [bucket, held] of counts.entries()) {
      left -= held;
      if (left <= 0) return Math.min(max, Math.max(min, middleOf(bucket) / 1_000));
    }
    return max;
  }

  return {
    record(ms) {
      const bucket = bucketOf(Math.min(LONGEST, Math.max(0, Math.trunc(ms * 1_000))));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      count += 1;
      total += ms;
      if (ms < min) min = ms;
      if (ms > max) max = ms;
    },
    summary: () =>
      count === 0
        ? { count: 0, min: 0, mean: 0, max: 0, p50: 0, p90: 0, p99: 0 }
        : {
            count,
            min,
            mean: total / count,
            max,
            p50: percentile(0.5),
            p90: percentile(0.9),
            p99: percentile(0.99),
          },
  };
}
