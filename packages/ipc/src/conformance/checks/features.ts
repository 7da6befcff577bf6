import { sleep, systemClock } from '@pawl/core';
import { isObject, type Line } from '../line.ts';
import type { RawWorker } from '../raw-worker.ts';
import {
  expect,
  expectError,
  expectResult,
  expectResultOf,
  expectUsable,
  type Rule,
  rulesOf,
  show,
} from '../rule.ts';

const LONG_MS = 60_000;
/** How long a stream without credit is watched. */
const NO_CREDIT_MS = 200;

export const cancelRules: readonly Rule[] = rulesOf('Runs', [
  {
    id: 'cancel.ends-the-run',
    says: 'A run that is cancelled is answered with -32001 once its task has stopped.',
    tasks: ['sleep'],
    features: ['cancel'],
    async check(worker) {
      const id = worker.run('sleep', { ms: LONG_MS });
      await sleep(systemClock, 50);
      worker.notify('cancel', { id, reason: 'conformance', graceMs: 5_000 });
      expectError(await worker.answer(id), -32_001);
    },
  },
  {
    id: 'cancel.at-once',
    says: 'A `cancel` right behind its `run` counts as well.',
    tasks: ['sleep'],
    features: ['cancel'],
    async check(worker) {
      const id = worker.run('sleep', { ms: LONG_MS });
      worker.notify('cancel', { id, reason: 'conformance', graceMs: 5_000 });
      expectError(await worker.answer(id), -32_001);
    },
  },
  {
    id: 'cancel.answers-once',
    says: 'A run that is cancelled, once or twice, is still answered exactly once.',
    tasks: ['sleep'],
    features: ['cancel'],
    async check(worker) {
      const id = worker.run('sleep', { ms: LONG_MS });
      await sleep(systemClock, 50);
      for (let times = 0; times < 2; times += 1) {
        worker.notify('cancel', { id, reason: 'conformance', graceMs: 5_000 });
      }
      await worker.answer(id);
      await worker.settle();
      const { length } = worker.answers(id);
      expect(length === 1, `It was answered ${length} times.`);
    },
  },
  {
    id: 'cancel.keeps-the-worker',
    says: 'A worker with `cancel` lives on and takes the next run.',
    tasks: ['sleep', 'echo'],
    features: ['cancel'],
    async check(worker) {
      const id = worker.run('sleep', { ms: LONG_MS });
      await sleep(systemClock, 50);
      worker.notify('cancel', { id, reason: 'conformance', graceMs: 5_000 });
      await worker.answer(id);
      expectResultOf(await worker.answer(worker.run('echo', 'next')), 'next');
    },
  },
  {
    id: 'cancel.spares-others',
    says: 'A `cancel` is about the run it names and no other.',
    tasks: ['sleep'],
    features: ['cancel', 'concurrent'],
    async check(worker) {
      const [stopped, spared] = [worker.run('sleep', { ms: LONG_MS }), worker.run('sleep', { ms: 200 })];
      await sleep(systemClock, 50);
      worker.notify('cancel', { id: stopped, reason: 'conformance', graceMs: 5_000 });
      expectError(await worker.answer(stopped), -32_001);
      expectResult(await worker.answer(spared));
    },
  },
  {
    id: 'cancel.not-open',
    says: 'A `cancel` of a request that is not open is ignored.',
    async check(worker) {
      await worker.settle();
      const seen = worker.lines.length;
      const answered = worker.request('ping');
      await worker.answer(answered);
      for (const id of [answered, 987_654, 'text', null, [1], {}, -1, 1.5, true]) {
        worker.notify('cancel', { id, reason: 'conformance', graceMs: 0 });
      }
      worker.notify('cancel');
      await worker.settle();
      const said = worker.lines.slice(seen).filter(({ message }) => message?.['method'] === undefined);
      // The two pings.
      expect(said.length === 2, `It was answered: ${said.map(show).join(' ')}`);
    },
  },
]);

export const streamRules: readonly Rule[] = rulesOf('Runs', [
  {
    id: 'stream.waits-for-credit',
    says: 'No chunk is sent without credit, and a run may begin without.',
    tasks: ['stream'],
    features: ['stream'],
    async check(worker) {
      const id = worker.run('stream', { chunks: 3 }, { credit: 0 });
      await sleep(systemClock, NO_CREDIT_MS);
      const { length } = chunksOf(worker, id);
      const answered = worker.answers(id).length > 0;
      worker.notify('credit', { id, n: 10 });
      expectResult(await worker.answer(id));
      expect(length === 0, `${length} chunks came without credit.`);
      expect(!answered, 'The run ended without having sent its chunks.');
    },
  },
  {
    id: 'stream.heeds-credit',
    says: '`credit` allows `n` more chunks, and no more are sent.',
    tasks: ['stream'],
    features: ['stream'],
    async check(worker) {
      const id = worker.run('stream', { chunks: 5 }, { credit: 0 });
      worker.notify('credit', { id, n: 2 });
      await worker.becomes(() => chunksOf(worker, id).length >= 2, worker.timeoutMs);
      await sleep(systemClock, NO_CREDIT_MS);
      const { length } = chunksOf(worker, id);
      worker.notify('credit', { id, n: 10 });
      await worker.answer(id);
      expect(length === 2, `With credit for 2 chunks, ${length} came.`);
    },
  },
  {
    id: 'stream.credits-add-up',
    says: 'Credits add up.',
    tasks: ['stream'],
    features: ['stream'],
    async check(worker) {
      const id = worker.run('stream', { chunks: 6 }, { credit: 0 });
      for (const n of [1, 2, 3]) worker.notify('credit', { id, n });
      expectResultOf(await worker.answer(id), 6);
      const { length } = chunksOf(worker, id);
      expect(length === 6, `With credit for 1, 2 and 3 chunks, ${length} of 6 came.`);
    },
  },
  {
    id: 'stream.order',
    says: 'Chunks count `seq` from 0, come in order, and before the result that ends the stream.',
    tasks: ['stream'],
    features: ['stream'],
    async check(worker) {
      const id = worker.run('stream', { chunks: 4 }, { credit: 0 });
      worker.notify('credit', { id, n: 100 });
      const answer = await worker.answer(id);
      await worker.settle();
      const chunks = chunksOf(worker, id);
      expect(chunks.length === 4, `Expected 4 chunks, got ${chunks.length}.`);
      for (const [seq, chunk] of chunks.entries()) {
        const params = chunk.message?.['params'];
        expect(
          isObject(params) && params['seq'] === seq && params['data'] === seq && chunk.index < answer.index,
          `Chunk ${seq} is ${show(chunk)}`,
        );
      }
    },
  },
  {
    id: 'stream.first-credit',
    says: 'The `credit` of a `run` counts as one that was sent behind it.',
    tasks: ['stream'],
    features: ['stream'],
    async check(worker) {
      const id = worker.run('stream', { chunks: 3 }, { credit: 2 });
      worker.notify('credit', { id, n: 1 });
      expectResultOf(await worker.answer(id), 3);
      const { length } = chunksOf(worker, id);
      expect(length === 3, `With credit for 3 chunks, ${length} came.`);
    },
  },
  {
    id: 'stream.not-taken',
    says: 'A run without `credit` sends no chunks, and does not wait for any.',
    tasks: ['stream'],
    features: ['stream'],
    async check(worker) {
      const id = worker.run('stream', { chunks: 3 });
      expectResultOf(await worker.answer(id), 3);
      await worker.settle();
      const { length } = chunksOf(worker, id);
      expect(length === 0, `${length} chunks came.`);
    },
  },
  {
    id: 'stream.late-credit',
    says: '`credit` for a run that is not open is ignored.',
    async check(worker) {
      for (const id of [987_654, 'text', null]) worker.notify('credit', { id, n: 3 });
      worker.notify('credit');
      await expectUsable(worker);
    },
  },
]);

export const validateRules: readonly Rule[] = rulesOf('Runs', [
  {
    id: 'validate.valid',
    says: '`validate` answers `{valid, issues}`, also without an input.',
    tasks: ['checked'],
    features: ['validate'],
    async check(worker) {
      const answer = await worker.answer(worker.request('validate', { task: 'checked', input: { n: 1 } }));
      const result = expectResult(answer);
      const { valid, issues } = isObject(result) ? result : {};
      expect(valid === true && Array.isArray(issues) && issues.length === 0, show(answer));
    },
  },
  {
    id: 'validate.names-the-part',
    says: '`validate` gives an issue for each fault, with the `path` of the offending part and a `message`.',
    tasks: ['checked'],
    features: ['validate'],
    async check(worker) {
      const answer = await worker.answer(worker.request('validate', { task: 'checked', input: { n: 'x' } }));
      const result = expectResult(answer);
      const { valid, issues } = isObject(result) ? result : {};
      const [issue]: unknown[] = Array.isArray(issues) ? issues : [];
      expect(
        valid === false && isObject(issue) && issue['path'] === 'n' && typeof issue['message'] === 'string',
        show(answer),
      );
    },
  },
  {
    id: 'validate.unknown-task',
    says: '`validate` of a task that is not there is answered with -32003.',
    features: ['validate'],
    async check(worker) {
      expectError(
        await worker.answer(worker.request('validate', { task: 'no such task', input: 1 })),
        -32_003,
      );
    },
  },
]);

function chunksOf(worker: RawWorker, id: number): readonly Line[] {
  return worker.about(id).filter(({ message }) => message?.['method'] === 'chunk');
}
