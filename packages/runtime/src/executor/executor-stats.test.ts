import { createTaskCache } from '@pawl/caching';
import { createManualClock } from '@pawl/core/testing';
import { circuitBreaker, fixedBackoff, retry } from '@pawl/resilience';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createAdmission } from '../scheduling/admission/admission.ts';
import { createExecutor, type RunAttempt } from './executor.ts';
import type { Outcome } from './outcome.ts';

/** What a run is made to do; its input. */
interface Plan {
  readonly ms: number;
  readonly how: 'return' | 'throw' | 'crash' | 'invalid' | 'hang';
  readonly deterministic: boolean;
  readonly tokens: 0 | 1;
  readonly timeoutMs: number;
}

type Step = { readonly submit: Plan } | { readonly cancel: number } | { readonly advance: number };

const CODES = { throw: 'E_OF_A_TASK', crash: 'WORKER_CRASHED', invalid: 'INVALID_INPUT' } as const;

const plan: fc.Arbitrary<Plan> = fc.record({
  ms: fc.nat({ max: 30 }),
  how: fc.constantFrom<Plan['how']>('return', 'throw', 'crash', 'invalid', 'hang'),
  deterministic: fc.boolean(),
  tokens: fc.constantFrom(0, 1),
  timeoutMs: fc.constantFrom(20, 100),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  plan.map((submit) => ({ submit })),
  fc.nat({ max: 20 }).map((cancel) => ({ cancel })),
  fc.nat({ max: 40 }).map((advance) => ({ advance })),
);

function setup() {
  const clock = createManualClock();
  const run: RunAttempt = async (_task, input) => {
    const { ms, how } = input as Plan;
    await new Promise<void>((resolve) => void clock.setTimer(ms, resolve));
    if (how === 'hang') return new Promise(() => undefined);
    if (how === 'return') return ms;
    throw Object.assign(new Error(how), { code: CODES[how] });
  };
  const executor = createExecutor({
    clock,
    run,
    admission: createAdmission({ maxCpu: 1, minFreeMemoryBytes: 0, tokens: { gpu: 1 }, clock }),
    cache: createTaskCache({ clock }),
    retry: retry({ maxAttempts: 2, backoff: fixedBackoff(5), jitter: false, clock }),
    breaker: circuitBreaker({ failureThreshold: 4, minCalls: 4, openMs: 50, clock }),
  });
  return { clock, executor };
}

const sum = (counts: object): number =>
  (Object.values(counts) as readonly number[]).reduce((total, each) => total + each, 0);

/** Whatever happened, each run is in one place. */
function checkSums({ executor }: Pick<ReturnType<typeof setup>, 'executor'>, submitted: number): void {
  const { running, total, byStatus, byCause, byStage } = executor.stats();
  const stages = Object.values(byStage);
  expect(total).toBe(submitted);
  expect(running + sum(byStatus)).toBe(total);
  expect(byStatus.succeeded + sum(byCause)).toBe(sum(byStatus));
  expect(sum(stages.map((stage) => stage.running))).toBe(running);
  expect(sum(stages.map((stage) => stage.ended))).toBe(sum(byCause));
}

it('has counts that add up at every moment, and settles every run once, with one end for each beginning', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, executor } = setup();
      const open = new Map<string, number>();
      let wrong: string | undefined;
      let ended = 0;
      const change = (key: string, by: number): void => {
        const now = (open.get(key) ?? 0) + by;
        open.set(key, now);
        if (now !== 0 && now !== 1) wrong = `${key}: ${now}`;
      };
      executor.on('execution:started', ({ runId }) => change(runId, 1));
      executor.on('attempt:started', ({ runId, attempt }) => change(`${runId}/${attempt}`, 1));
      executor.on('attempt:succeeded', ({ runId, attempt }) => change(`${runId}/${attempt}`, -1));
      executor.on('attempt:failed', ({ runId, attempt }) => change(`${runId}/${attempt}`, -1));
      executor.on('execution:ended', ({ outcome }) => {
        change(outcome.runId, -1);
        ended += 1;
      });
      const outcomes: Promise<Outcome>[] = [];
      for (const each of steps) {
        if ('submit' in each) {
          const { deterministic, tokens, timeoutMs } = each.submit;
          const how = { runId: String(outcomes.length), deterministic, tokens: { gpu: tokens }, timeoutMs };
          outcomes.push(executor.execute('t', each.submit, how));
        } else if ('cancel' in each) executor.cancel(String(each.cancel));
        else await clock.advance(each.advance);
        checkSums({ executor }, outcomes.length);
      }
      await clock.advance(200);
      const settled = await Promise.all(outcomes);
      await clock.settle();
      checkSums({ executor }, outcomes.length);
      const { byStatus, cached, shared, attempts } = executor.stats();
      for (const status of Object.keys(byStatus) as Outcome['status'][]) {
        expect(byStatus[status]).toBe(settled.filter((outcome) => outcome.status === status).length);
      }
      expect(cached).toBe(settled.filter((outcome) => outcome.cached).length);
      expect(shared).toBe(settled.filter((outcome) => outcome.shared).length);
      expect(attempts).toBe(sum(settled.map((outcome) => outcome.attempts)));
      expect(ended).toBe(outcomes.length);
      expect(wrong).toBeUndefined();
      expect([...open].filter(([, count]) => count !== 0)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
