import { sleep, systemClock } from '@pawl/core';
import { NotOffered } from '../breach.ts';
import { RUNS_AT_ONCE } from '../host-frames.ts';
import { isObject, type Json } from '../line.ts';
import type { RawWorker } from '../raw-worker.ts';
import { expect, expectResult, expectResultOf, type Rule, rulesOf } from '../rule.ts';

const COUNTS = ['uptimeMs', 'rssBytes', 'runsActive', 'runsDone', 'runsFailed', 'lagMs'];
const BUSY_MS = 500;
const PING_AFTER_MS = 150;

export const healthRules: readonly Rule[] = rulesOf('Health', [
  {
    id: 'ping.pid',
    says: "The result of `ping` has the worker's `pid`, the one of its `hello`.",
    async check(worker) {
      const { pid } = await worker.hello();
      const health = await ping(worker);
      expect(
        typeof health['pid'] === 'number' && health['pid'] === pid,
        `It is ${JSON.stringify(health['pid'])}, in \`hello\` ${JSON.stringify(pid)}.`,
      );
    },
  },
  {
    id: 'ping.numbers',
    says: 'What else is in the result of `ping` has the right types: numbers that are not negative.',
    async check(worker) {
      const health = await ping(worker);
      for (const key of COUNTS) {
        const value = health[key];
        expect(
          value === undefined || (typeof value === 'number' && value >= 0),
          `\`${key}\` is ${JSON.stringify(value)}.`,
        );
      }
    },
  },
  {
    id: 'ping.while-waiting',
    says: 'A worker answers a `ping` also while a task waits.',
    level: 'should',
    tasks: ['sleep'],
    async check(worker) {
      await pingDuring(worker, 'sleep');
    },
  },
  {
    id: 'ping.while-spinning',
    says: 'A worker answers a `ping` also while a task computes.',
    level: 'should',
    tasks: ['spin'],
    async check(worker) {
      await pingDuring(worker, 'spin');
    },
  },
  {
    id: 'ping.lag',
    says: "`lagMs` is how long the worker's main loop has been blocked.",
    level: 'should',
    tasks: ['spin'],
    async check(worker) {
      const { lagMs } = await pingDuring(worker, 'spin');
      if (lagMs === undefined) throw new NotOffered('the result of `ping` has no `lagMs`');
      expect(
        typeof lagMs === 'number' && lagMs > 0,
        `After ${PING_AFTER_MS} ms of computing it is ${JSON.stringify(lagMs)}.`,
      );
    },
  },
]);

export const controlRules: readonly Rule[] = rulesOf('Health', [
  {
    id: 'control.withdraw-while-spinning',
    says: 'A worker with `control` gives back, over its control channel, runs that wait while a task computes.',
    tasks: ['spin', 'echo'],
    features: ['control', 'queue'],
    async check(worker) {
      await untilControlled(worker);
      const spinning = worker.run('spin', { ms: BUSY_MS });
      for (let times = 1; times < RUNS_AT_ONCE; times += 1) worker.run('spin', { ms: BUSY_MS });
      const waiting = worker.run('echo', 'given back');
      await sleep(systemClock, PING_AFTER_MS);
      const answer = await worker.answer(worker.requestControl('withdraw', { ids: [spinning, waiting] }));
      expectResultOf(answer, { withdrawn: [waiting] });
      const end = await worker.answer(spinning);
      expect(answer.index < end.index, 'The `withdraw` was answered only after the run.');
      await worker.settle();
      expect(worker.answers(waiting).length === 0, 'The run that was given back was answered.');
    },
  },
  {
    id: 'control.stack',
    says: '`stack` tells, over the control channel, where the main thread is: text, or null.',
    tasks: ['spin'],
    features: ['control'],
    async check(worker) {
      await untilControlled(worker);
      worker.run('spin', { ms: BUSY_MS });
      await sleep(systemClock, PING_AFTER_MS);
      const stack = expectResult(await worker.answer(worker.requestControl('stack')));
      expect(stack === null || typeof stack === 'string', `It is ${JSON.stringify(stack)}.`);
    },
  },
]);

/** A worker may begin to serve its control channel with its first run, which takes it a moment. */
async function untilControlled(worker: RawWorker): Promise<void> {
  await worker.answer(worker.run('spin', { ms: 1 }));
  await worker.answer(worker.requestControl('ping'));
}

async function offersControl(worker: RawWorker): Promise<boolean> {
  const { features } = await worker.hello();
  return Array.isArray(features) && features.includes('control');
}

async function ping(worker: RawWorker): Promise<Json> {
  const result = expectResult(await worker.answer(worker.request('ping')));
  expect(isObject(result), `The result is ${JSON.stringify(result)}, not an object.`);
  return result;
}

async function pingDuring(worker: RawWorker, task: string): Promise<Json> {
  const beside = task === 'spin' && (await offersControl(worker));
  if (beside) await untilControlled(worker);
  const run = worker.run(task, { ms: BUSY_MS });
  await sleep(systemClock, PING_AFTER_MS);
  const asked = beside ? worker.requestControl('ping') : worker.request('ping');
  const [pong, end] = [await worker.answer(asked), await worker.answer(run)];
  expect(pong.index < end.index, 'The `ping` was answered only after the run.');
  const result = expectResult(pong);
  return isObject(result) ? result : {};
}
