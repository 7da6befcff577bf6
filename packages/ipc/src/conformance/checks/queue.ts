import { sleep, systemClock } from '@pawl/core';
import { RUNS_AT_ONCE } from '../host-frames.ts';
import type { RawWorker } from '../raw-worker.ts';
import { expect, expectError, expectResult, expectResultOf, type Rule, rulesOf } from '../rule.ts';

export const queueRules: readonly Rule[] = rulesOf('Runs', [
  {
    id: 'queue.runs-at-once',
    says: 'A worker with `queue` executes no more runs at once than `runsAtOnce` of `welcome`; the others wait.',
    tasks: ['sleep', 'echo'],
    features: ['queue'],
    async check(worker) {
      const slow = fill(worker);
      const waiting = await worker.answer(worker.run('echo', 'next'));
      const first = Math.min(...(await indicesOf(worker, slow)));
      expect(first < waiting.index, 'A run beyond the limit was answered before one of those before it.');
    },
  },
  {
    id: 'queue.withdraw',
    says: 'A run that has not begun is given back by `withdraw`; it never begins and is not answered.',
    tasks: ['sleep', 'echo'],
    features: ['queue'],
    async check(worker) {
      const slow = fill(worker);
      const [kept, given] = [worker.run('echo', 'kept'), worker.run('echo', 'given back')];
      await sleep(systemClock, 50);
      const answer = await worker.answer(worker.request('withdraw', { ids: [given] }));
      expectResultOf(answer, { withdrawn: [given] });
      expectResultOf(await worker.answer(kept), 'kept');
      await indicesOf(worker, slow);
      await worker.settle();
      expect(worker.answers(given).length === 0, 'It was answered.');
    },
  },
  {
    id: 'queue.begun',
    says: 'A run that has begun, or has ended, is not given back, and is answered as ever.',
    tasks: ['sleep', 'echo'],
    features: ['queue'],
    async check(worker) {
      const ended = worker.run('echo', 'ended');
      await worker.answer(ended);
      const begun = worker.run('sleep', { ms: 300 });
      await sleep(systemClock, 50);
      const answer = await worker.answer(worker.request('withdraw', { ids: [ended, begun] }));
      expectResultOf(answer, { withdrawn: [] });
      expectResult(await worker.answer(begun));
    },
  },
  {
    id: 'queue.cancel',
    says: 'A run that is cancelled before it has begun is answered with -32001.',
    tasks: ['sleep', 'echo'],
    features: ['queue', 'cancel'],
    async check(worker) {
      const slow = fill(worker);
      const waiting = worker.run('echo', 'never');
      worker.notify('cancel', { id: waiting, reason: 'conformance', graceMs: 5_000 });
      expectError(await worker.answer(waiting), -32_001);
      await indicesOf(worker, slow);
    },
  },
  {
    id: 'queue.withdraw-params',
    says: '`withdraw` without an array of ids is answered with -32602.',
    features: ['queue'],
    async check(worker) {
      for (const params of [{}, { ids: 'all' }, { ids: ['one'] }, undefined]) {
        expectError(await worker.answer(worker.request('withdraw', params)), -32_602);
      }
    },
  },
]);

/** As many runs as the worker may execute at once, each of a while. @returns their ids */
function fill(worker: RawWorker): readonly number[] {
  return Array.from({ length: RUNS_AT_ONCE }, () => worker.run('sleep', { ms: 300 }));
}

async function indicesOf(worker: RawWorker, ids: readonly number[]): Promise<readonly number[]> {
  const answers = await Promise.all(ids.map((id) => worker.answer(id)));
  return answers.map(({ index }) => index);
}
