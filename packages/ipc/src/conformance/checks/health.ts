import { sleep, systemClock } from '@pawl/core';
import { NotOffered } from '../breach.ts';
import { isObject, type Json } from '../line.ts';
import type { RawWorker } from '../raw-worker.ts';
import { expect, expectResult, type Rule, rulesOf } from '../rule.ts';

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

async function ping(worker: RawWorker): Promise<Json> {
  const result = expectResult(await worker.answer(worker.request('ping')));
  expect(isObject(result), `The result is ${JSON.stringify(result)}, not an object.`);
  return result;
}

async function pingDuring(worker: RawWorker, task: string): Promise<Json> {
  const run = worker.run(task, { ms: BUSY_MS });
  await sleep(systemClock, PING_AFTER_MS);
  const [pong, end] = [await worker.answer(worker.request('ping')), await worker.answer(run)];
  expect(pong.index < end.index, 'The `ping` was answered only after the run.');
  const result = expectResult(pong);
  return isObject(result) ? result : {};
}
