import { sleep, systemClock } from '@pawl/core';
import { isObject, type Line } from '../line.ts';
import { MAX_MESSAGE_BYTES } from '../host-frames.ts';
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

const VALUES: readonly unknown[] = [
  null,
  false,
  0,
  -1.5,
  2 ** 53 - 1,
  '',
  'text',
  [],
  [[null, [1]], {}],
  {},
  { a: { b: [1, 'c', { d: null }] }, '': 0 },
];

export const runRules: readonly Rule[] = rulesOf('Runs', [
  {
    id: 'run.result',
    says: 'The result is the JSON value the task gave; the input is the JSON value the host sent.',
    tasks: ['echo'],
    async check(worker) {
      for (const value of VALUES) expectResultOf(await worker.answer(worker.run('echo', value)), value);
    },
  },
  {
    id: 'run.one-after-another',
    says: 'One worker serves any number of runs.',
    tasks: ['echo'],
    async check(worker) {
      for (let index = 0; index < 100; index += 1) {
        expectResultOf(await worker.answer(worker.run('echo', index)), index);
      }
    },
  },
  {
    id: 'run.unknown-task',
    says: 'A run of a task that is none of `tasks` is answered with -32003.',
    async check(worker) {
      expectError(await worker.answer(worker.run('no such task', null)), -32_003);
      await expectUsable(worker);
    },
  },
  {
    id: 'run.lists-tasks',
    says: 'The message of -32003 lists the tasks there are.',
    level: 'should',
    async check(worker) {
      const { tasks } = await worker.hello();
      const error = expectError(await worker.answer(worker.run('no such task', null)), -32_003);
      const missing = (Array.isArray(tasks) ? tasks : []).filter(
        (task) => typeof task === 'string' && !String(error['message']).includes(task),
      );
      expect(missing.length === 0, `It lacks ${missing.join(', ')}: ${JSON.stringify(error['message'])}`);
    },
  },
  {
    id: 'run.inherited-tasks',
    says: 'A task is known by its own name only, not by one that an object inherits.',
    async check(worker) {
      for (const task of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
        expectError(await worker.answer(worker.run(task, null)), -32_003);
      }
    },
  },
  {
    id: 'run.unknown-fields',
    says: 'A field of `run` that the worker does not know is ignored, and so is an absent one that it can do without.',
    tasks: ['echo'],
    async check(worker) {
      expectResultOf(await worker.answer(worker.run('echo', 1, { later: { a: 1 }, priority: 9 })), 1);
      const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      expectResultOf(await worker.answer(worker.run('echo', 2, { trace, budgetMs: 60_000 })), 2);
    },
  },
  {
    id: 'run.budget',
    says: 'A worker that ends a run because its budget is used up answers -32002.',
    tasks: ['sleep'],
    async check(worker) {
      const answer = await worker.answer(worker.run('sleep', { ms: 300 }, { budgetMs: 100 }));
      // It may as well let the run finish.
      if (Object.hasOwn(answer.message, 'error')) expectError(answer, -32_002);
    },
  },
  {
    id: 'run.not-serializable',
    says: 'A result that JSON can not carry is answered with -32005, and the worker stays usable.',
    tasks: ['unsendable'],
    async check(worker) {
      expectError(await worker.answer(worker.run('unsendable', null)), -32_005);
      await expectUsable(worker);
    },
  },
  {
    id: 'run.result-too-large',
    says: 'A result over the `maxMessageBytes` of `welcome` is answered with -32005, and no longer frame is sent.',
    tasks: ['big'],
    async check(worker) {
      const id = worker.run('big', { bytes: MAX_MESSAGE_BYTES });
      const answer = await worker.answer(id);
      expect(answer.bytes.length <= MAX_MESSAGE_BYTES, `The answer has ${answer.bytes.length} bytes.`);
      expectError(answer, -32_005);
      await expectUsable(worker);
    },
  },
  {
    id: 'run.concurrent',
    says: 'A worker with `concurrent` takes a second run while one is active.',
    tasks: ['sleep'],
    features: ['concurrent'],
    async check(worker) {
      const slow = worker.run('sleep', { ms: 500 });
      const fast = worker.run('sleep', { ms: 1 });
      const [first, second] = [await worker.answer(fast), await worker.answer(slow)];
      expectResult(first);
      expectResult(second);
      expect(first.index < second.index, 'The second run was not begun before the first had ended.');
    },
  },
]);

export const orderRules: readonly Rule[] = rulesOf('Runs', [
  {
    id: 'progress.order',
    says: 'Progress comes in order and before the answer of its run.',
    tasks: ['report'],
    features: ['progress'],
    async check(worker) {
      const { answer, progress } = await report(worker);
      expect(
        progress.map(({ params }) => params['step']).join() === '1,2,3,4,5',
        `Expected steps 1 to 5, got ${progress.map(({ line }) => show(line)).join(' ')}`,
      );
      expect(
        progress.every(({ line }) => line.index < answer.index),
        'Progress came behind the answer.',
      );
    },
  },
  {
    id: 'progress.fields',
    says: '`value` is from 0 to 1, `step` and `total` are numbers, `message` is a string.',
    tasks: ['report'],
    features: ['progress'],
    async check(worker) {
      const { progress } = await report(worker);
      for (const { line, params } of progress) {
        const { value, step, total, message } = params;
        const valid =
          (value === undefined || (typeof value === 'number' && value >= 0 && value <= 1)) &&
          [step, total].every((number) => number === undefined || typeof number === 'number') &&
          (message === undefined || typeof message === 'string');
        expect(valid, show(line));
      }
    },
  },
  {
    id: 'log.fields',
    says: 'A `log` has a `level` and a `message`, both strings, and the `id` of its run; it comes in order, before the answer.',
    tasks: ['report'],
    features: ['log'],
    async check(worker) {
      const { answer, logs } = await report(worker);
      expect(
        logs.map(({ params }) => params['message']).join() === 'step 1,step 2,step 3,step 4,step 5',
        `Expected the messages "step 1" to "step 5", got ${logs.map(({ line }) => show(line)).join(' ')}`,
      );
      for (const { line, params } of logs) {
        expect(typeof params['level'] === 'string' && line.index < answer.index, show(line));
      }
    },
  },
  {
    id: 'run.nothing-after-answer',
    says: 'Nothing about a run follows its answer.',
    tasks: ['report'],
    async check(worker) {
      const { id, answer } = await report(worker);
      await sleep(systemClock, 100);
      const late = [...worker.about(id), ...worker.answers(id)].find(({ index }) => index > answer.index);
      expect(late === undefined, `This did: ${late === undefined ? '' : show(late)}`);
    },
  },
]);

interface Notified {
  readonly line: Line;
  readonly params: Readonly<Record<string, unknown>>;
}

async function report(worker: RawWorker): Promise<{
  readonly id: number;
  readonly answer: Line;
  readonly progress: readonly Notified[];
  readonly logs: readonly Notified[];
}> {
  const id = worker.run('report', { steps: 5 });
  const answer = await worker.answer(id);
  expectResultOf(answer, 5);
  await worker.settle();
  const of = (method: string): readonly Notified[] =>
    worker
      .about(id)
      .filter(({ message }) => message?.['method'] === method)
      .map((line) => {
        const params = line.message?.['params'];
        return { line, params: isObject(params) ? params : {} };
      });
  return { id, answer, progress: of('progress'), logs: of('log') };
}
