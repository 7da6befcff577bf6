import { isObject, type Json } from '../line.ts';
import { MAX_MESSAGE_BYTES } from '../host-frames.ts';
import { NotOffered } from '../breach.ts';
import { expect, expectError, expectResultOf, expectUsable, type Rule, rulesOf } from '../rule.ts';

const MAX_DEPTH = 8;

export const errorRules: readonly Rule[] = rulesOf('Errors', [
  {
    id: 'errors.task-failed',
    says: 'A task that throws is answered with -32000, and the worker lives on.',
    tasks: ['fail'],
    async check(worker) {
      expectError(await worker.answer(worker.run('fail', { message: 'boom' })), -32_000);
      await expectUsable(worker);
    },
  },
  {
    id: 'errors.message',
    says: 'The message of the error gets to the host.',
    tasks: ['fail'],
    async check(worker) {
      const error = expectError(await worker.answer(worker.run('fail', { message: 'wänted "so"' })), -32_000);
      expect(
        String(error['message']).includes('wänted "so"'),
        `The message is ${JSON.stringify(error['message'])}.`,
      );
    },
  },
  {
    id: 'errors.data',
    says: '`data`, if there, has its fields of the right types; `data.message` is the message.',
    tasks: ['fail'],
    async check(worker) {
      const { data } = expectError(await worker.answer(worker.run('fail', { message: 'wanted' })), -32_000);
      if (data === undefined) throw new NotOffered('the error has no `data`');
      const fault = dataFault(data, 0);
      expect(fault === undefined, `${fault}: ${JSON.stringify(data)}`);
      const { message } = data as Json;
      expect(
        message === undefined || message === 'wanted',
        `\`data.message\` is ${JSON.stringify(message)}.`,
      );
    },
  },
  {
    id: 'errors.thrown',
    says: 'What was thrown, when that was no error, is `data.thrown`; `name` and `stack` are absent then.',
    tasks: ['throw'],
    async check(worker) {
      for (const thrown of ['just text', null, { a: [1] }]) {
        const { data } = expectError(await worker.answer(worker.run('throw', thrown)), -32_000);
        expect(
          isObject(data) &&
            JSON.stringify(data['thrown']) === JSON.stringify(thrown) &&
            !('name' in data) &&
            !('stack' in data),
          `\`data\` is ${JSON.stringify(data)}.`,
        );
      }
    },
  },
  {
    id: 'errors.within-the-limit',
    says: 'An error response is itself within the frame limit: it loses parts, and is sent.',
    tasks: ['fail'],
    async check(worker) {
      const id = worker.run('fail', { message: '0123456789', repeat: MAX_MESSAGE_BYTES / 10 });
      const answer = await worker.answer(id);
      expectError(answer, -32_000);
      expect(answer.bytes.length <= MAX_MESSAGE_BYTES, `It has ${answer.bytes.length} bytes.`);
      await expectUsable(worker);
    },
  },
  {
    id: 'errors.invalid-params',
    says: 'A `run` whose parameters do not fit is answered with -32602.',
    async check(worker) {
      for (const params of [undefined, null, [], {}, { task: 42, input: null }, { task: ['echo'] }]) {
        expectError(await worker.answer(worker.request('run', params)), -32_602);
      }
      await expectUsable(worker);
    },
  },
  {
    id: 'errors.invalid-input',
    says: "An input that does not satisfy the task's schema is answered with -32004.",
    tasks: ['checked'],
    async check(worker) {
      expectError(await worker.answer(worker.run('checked', { n: 'x' })), -32_004);
      expectError(await worker.answer(worker.run('checked', null)), -32_004);
      expectResultOf(await worker.answer(worker.run('checked', { n: 7 })), 7);
    },
  },
]);

/** What has the wrong type in the `data` of an error. */
function dataFault(data: unknown, depth: number): string | undefined {
  if (!isObject(data)) return '`data` is not an object';
  if (depth > MAX_DEPTH) return `causes are more than ${MAX_DEPTH} deep`;
  for (const key of ['name', 'message', 'stack']) {
    if (key in data && typeof data[key] !== 'string') return `\`${key}\` is not a string`;
  }
  const { code, fields, cause, errors, omitted } = data;
  if (code !== undefined && typeof code !== 'string' && typeof code !== 'number') {
    return '`code` is neither a string nor a number';
  }
  if (fields !== undefined && !isObject(fields)) return '`fields` is not an object';
  if (
    omitted !== undefined &&
    !(Array.isArray(omitted) && omitted.every((name) => typeof name === 'string'))
  ) {
    return '`omitted` is not an array of names';
  }
  if (errors !== undefined && !Array.isArray(errors)) return '`errors` is not an array';
  for (const each of [
    ...(cause === undefined ? [] : [cause]),
    ...((errors as unknown[] | undefined) ?? []),
  ]) {
    const fault = dataFault(each, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
