// The policies that are compared, each set up as its own documentation says is fastest and with the same meaning:
//   cockatiel  ConsecutiveBreaker; "four" is `wrap` in the order of ours, with the cooperative timeout, its cheaper one.
//   opossum    no timeout, no rolling percentiles where the case has none; "four" is its breaker with capacity and
//              timeout, as it has no retry. An optional dependency: left out when it is not installed.
//   p-retry    `retries: 2`.
import {
  bulkhead,
  circuitBreaker,
  compose,
  hedge,
  rateLimiter,
  retry,
  standardPolicy,
  timeout,
} from '@pawl/resilience';
import * as cockatiel from 'cockatiel';
import pRetry from 'p-retry';

const Opossum = await import('opossum').then(
  ({ default: Breaker }) => Breaker,
  () => undefined,
);

const TIMEOUT_MS = 10_000;
const value = { id: 1 };
const work = async () => value;
const failing = async () => {
  throw FAILURE;
};
const FAILURE = new Error('down');
const swallow = () => undefined;

const ours = (policy, options) => () => policy.execute(work, options);
const theirs = {
  breaker: () =>
    cockatiel.circuitBreaker(cockatiel.handleAll, {
      halfOpenAfter: 60_000,
      breaker: new cockatiel.ConsecutiveBreaker(5),
    }),
  retry: () =>
    cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2, backoff: new cockatiel.ExponentialBackoff() }),
  timeout: () => cockatiel.timeout(TIMEOUT_MS, cockatiel.TimeoutStrategy.Cooperative),
  four: () => cockatiel.wrap(theirs.retry(), theirs.breaker(), cockatiel.bulkhead(10, 0), theirs.timeout()),
};
const four = () => compose(retry(), circuitBreaker(), bulkhead(), timeout(TIMEOUT_MS));

/** Nothing when opossum is not installed. */
function opossum(action, options) {
  if (Opossum === undefined) return {};
  const breaker = new Opossum(action, { timeout: false, rollingPercentilesEnabled: false, ...options });
  breaker.on('failure', swallow);
  return { opossum: { call: () => breaker.fire(), end: () => breaker.shutdown(), breaker } };
}

/** A contestant that needs no end. */
const call = (fn) => ({ call: fn });

function openOpossum() {
  const { opossum: made } = opossum(failing);
  made?.breaker.open();
  return made === undefined ? {} : { opossum: call(() => made.call().catch(swallow)) };
}

function openCockatiel() {
  const breaker = theirs.breaker();
  breaker.isolate();
  return breaker;
}

/**
 * Each case makes its contestants anew; one call of each is one operation. The first is what the others are compared
 * with, and `bare` is measured along with every case.
 * @typedef {{ call: () => Promise<unknown>, end?: () => void }} Contestant
 * @type {readonly { title: string, make: () => Record<string, Contestant> }[]}
 */
export const cases = [
  {
    title: 'circuit breaker, success',
    make: () => ({
      '@pawl/resilience': call(ours(circuitBreaker())),
      cockatiel: call(
        (
          (policy) => () =>
            policy.execute(work)
        )(theirs.breaker()),
      ),
      ...opossum(work),
    }),
  },
  {
    title: 'retry, success at once',
    make: () => ({
      '@pawl/resilience': call(ours(retry())),
      cockatiel: call(
        (
          (policy) => () =>
            policy.execute(work)
        )(theirs.retry()),
      ),
      'p-retry': call(() => pRetry(work, { retries: 2 })),
    }),
  },
  {
    title: 'timeout, success in time',
    make: () => ({
      '@pawl/resilience': call(ours(timeout(TIMEOUT_MS))),
      cockatiel: call(
        (
          (policy) => () =>
            policy.execute(work)
        )(theirs.timeout()),
      ),
      ...opossum(work, { timeout: TIMEOUT_MS }),
    }),
  },
  {
    title: 'four: retry, breaker, bulkhead, timeout',
    make: () => ({
      '@pawl/resilience': call(ours(four())),
      '@pawl/resilience, work that reads its signal': call(
        (
          (policy) => () =>
            policy.execute(async ({ signal }) => signal.aborted)
        )(four()),
      ),
      '@pawl/resilience, standardPolicy()': call(ours(standardPolicy({ bulkhead: {} }))),
      cockatiel: call(
        (
          (policy) => () =>
            policy.execute(work)
        )(theirs.four()),
      ),
      'opossum, without retry': opossum(work, { timeout: TIMEOUT_MS, capacity: 10 }).opossum,
    }),
  },
  {
    title: "four, with the caller's signal",
    make: () => {
      const { signal } = new AbortController();
      return {
        '@pawl/resilience': call(ours(four(), { signal })),
        cockatiel: call(
          (
            (policy) => () =>
              policy.execute(work, signal)
          )(theirs.four()),
        ),
      };
    },
  },
  {
    title: 'hedge and rate limiter, success (nobody else has them)',
    make: () => ({
      '@pawl/resilience, hedge': call(ours(hedge())),
      '@pawl/resilience, rateLimiter': call(ours(rateLimiter({ tokens: 1e9 }))),
    }),
  },
  {
    title: 'refusal of an open breaker',
    make: () => {
      const breaker = circuitBreaker();
      breaker.trip(FAILURE);
      const isolated = openCockatiel();
      return {
        '@pawl/resilience': call(() => breaker.execute(work).catch(swallow)),
        cockatiel: call(() => isolated.execute(work).catch(swallow)),
        ...openOpossum(),
      };
    },
  },
];

/** What every case is measured against. */
export const bare = work;
export const hasOpossum = Opossum !== undefined;
