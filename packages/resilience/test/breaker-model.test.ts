import { describe, expect, it } from 'vitest';
import { type Clock, hasCode, type Random, seededRandom } from '@pawl/core';
import { type CallTicket, circuitBreaker, exponentialBackoff } from '../src/index.ts';
import { BreakerModel, type ModelOptions } from './breaker-model.ts';

/** `PAWL_SEED=7 npx vitest run breaker-model` tries another one. */
const SEEDS = process.env['PAWL_SEED'] === undefined ? [1, 2, 3] : [Number(process.env['PAWL_SEED'])];
const STEPS = 100_000;

function draw(random: Random): { pick: <T>(list: readonly T[]) => T; upTo: (most: number) => number } {
  const upTo = (most: number): number => Math.floor(random() * (most + 1));
  return { upTo, pick: (list) => list[upTo(list.length - 1)] as (typeof list)[number] };
}

function randomOptions(random: Random): ModelOptions {
  const { pick, upTo } = draw(random);
  const successThreshold = 1 + upTo(3);
  const rule = pick(['time-window', 'count-window', 'consecutive'] as const);
  const byRate = rule !== 'consecutive' && random() < 0.3;
  return {
    rule,
    ...(byRate ? { failureRate: pick([0.25, 0.5, 1]) } : {}),
    failureThreshold: 1 + upTo(4),
    minCalls: 1 + upTo(4),
    windowMs: 60 * (1 + upTo(20)),
    windowCalls: 5 + upTo(5),
    openMs: 1 + upTo(300),
    successThreshold,
    maxProbes: 1 + upTo(successThreshold),
    maxProbeFailures: upTo(2),
    probeTimeoutMs: 1 + upTo(200),
    expiredProbe: pick(['ignored', 'failure']),
    rampUpMs: pick([0, 0, 100 + upTo(900)]),
    rampUpFrom: pick([0.1, 0.25, 1]),
  };
}

/** Many breakers with options of their own, as one set of them would leave most moves rare. */
function compare(seed: number, steps: number): Set<string> {
  const random = seededRandom(seed);
  const { pick, upTo } = draw(random);
  const visited = new Set<string>();
  for (let done = 0; done < steps;) {
    let now = upTo(1_000);
    const clock: Clock = {
      now: () => now,
      wallTime: () => now,
      setTimer: () => ({ cancel: () => undefined }),
    };
    const options = randomOptions(random);
    const { openMs } = options;
    const breaker = circuitBreaker({
      ...options,
      openMs: exponentialBackoff({ initialMs: openMs, maxMs: openMs * 8 }),
      clock,
    });
    const model = new BreakerModel(options);
    const running: { readonly ticket: CallTicket; readonly call: Parameters<BreakerModel['settle']>[0] }[] =
      [];
    const holds: { readonly release: () => void; readonly hold: object }[] = [];
    const fails = random();
    const log: string[] = [];

    const step = (): void => {
      const action = random();
      if (action < 0.35) {
        log.push('begin');
        const call = model.admit(now);
        let ticket: CallTicket | undefined;
        try {
          ticket = breaker.admit();
        } catch (error) {
          if (!hasCode(error, 'CIRCUIT_OPEN')) throw error;
        }
        if ((ticket === undefined) !== (call === undefined))
          throw new Error(`admitted: ${ticket !== undefined}`);
        if (ticket !== undefined && call !== undefined) running.push({ ticket, call });
      } else if (action < 0.75) {
        const [ended] = running.splice(upTo(running.length - 1), 1);
        const outcome = random() < 0.1 ? 'ignored' : random() < fails ? 'failure' : 'success';
        if (ended === undefined) return;
        log.push(outcome);
        const { reason } = ended.ticket.settle(outcome);
        const expected = model.settle(ended.call, outcome, now);
        if (reason !== expected) throw new Error(`settled as ${reason}, expected ${expected}`);
      } else if (action < 0.97) {
        const ms = pick([
          0,
          1,
          1,
          upTo(20),
          upTo(20),
          options.openMs,
          options.probeTimeoutMs,
          options.windowMs,
          5_000,
        ]);
        log.push(`+${ms}`);
        now += ms;
      } else if (action < 0.975) {
        log.push('trip');
        breaker.trip();
        model.trip(now);
      } else if (action < 0.98) {
        log.push('reset');
        breaker.reset();
        model.reset();
        holds.length = 0;
      } else if (action < 0.99) {
        const forMs = pick([Infinity, upTo(300)]);
        log.push(`isolate for ${forMs}`);
        holds.push({ release: breaker.isolate({ forMs }), hold: model.isolate(now, forMs) });
      } else {
        log.push('release');
        const [held] = holds.splice(0, 1);
        held?.release();
        if (held !== undefined) model.release(held.hold);
      }
    };

    for (let index = 0; index < 200 && done < steps; index += 1, done += 1) {
      try {
        step();
        const { state, calls, failures, totals, consecutiveOpens } = breaker.stats();
        visited.add(state);
        const seen = JSON.stringify({ state, calls, failures, opens: consecutiveOpens, late: totals.late });
        const expected = JSON.stringify({
          state: model.state(now),
          ...model.counted(now),
          opens: model.opens(now),
          late: model.late,
        });
        if (seen !== expected) throw new Error(`is ${seen}, expected ${expected}`);
      } catch (error) {
        throw new Error(`Seed ${seed}, ${JSON.stringify(options)}:\n${log.join(' ')}`, { cause: error });
      }
    }
  }
  return visited;
}

describe('a breaker and its model', () => {
  it.each(SEEDS)(`agree for ${STEPS} random steps, seed %i`, (seed) => {
    expect([...compare(seed, STEPS)].toSorted()).toEqual(['closed', 'half-open', 'isolated', 'open']);
  });
});
