import { shapeFault } from '../line.ts';
import { frame } from '../host-frames.ts';
import { expect, expectError, expectResult, expectUsable, type Rule, rulesOf, show } from '../rule.ts';

const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''];

export const messageRules: readonly Rule[] = rulesOf('Messages', [
  {
    id: 'messages.shape',
    says: 'Each message has `"jsonrpc": "2.0"` and is a request, a notification, a result or an error.',
    async check(worker) {
      const seen = worker.lines.length;
      worker.request('no.such.method');
      worker.run('no such task', null);
      await worker.settle();
      const [hello] = worker.lines;
      for (const line of [...(hello === undefined ? [] : [hello]), ...worker.lines.slice(seen)]) {
        const fault = line.message === undefined ? undefined : shapeFault(line.message);
        expect(fault === undefined, `${fault}: ${show(line)}`);
      }
    },
  },
  {
    id: 'messages.ids',
    says: 'An answer carries the `id` of its request, any integer from 1 to 2^53 − 1.',
    async check(worker) {
      for (const id of [Number.MAX_SAFE_INTEGER, 2 ** 32 + 1, 2 ** 31]) {
        expectResult(await worker.answer(worker.request('ping', undefined, id)));
      }
    },
  },
  {
    id: 'messages.answered-once',
    says: 'Every request is answered exactly once.',
    async check(worker) {
      const ids = [
        worker.request('ping'),
        worker.request('no.such.method'),
        worker.run('no such task', null),
        worker.request('ping'),
      ];
      for (const id of ids) await worker.answer(id);
      await worker.settle();
      for (const id of ids) {
        const { length } = worker.answers(id);
        expect(length === 1, `Request ${id} was answered ${length} times.`);
      }
    },
  },
  {
    id: 'messages.unknown-method',
    says: 'An unknown request is answered with -32601.',
    async check(worker) {
      expectError(await worker.answer(worker.request('no.such.method', { a: [1] })), -32_601);
      expectError(await worker.answer(worker.request('no.such.method')), -32_601);
    },
  },
  {
    id: 'messages.inherited-methods',
    says: 'A method is known by its own name only, not by one that an object inherits.',
    async check(worker) {
      for (const method of INHERITED) {
        expectError(await worker.answer(worker.request(method, {})), -32_601);
      }
    },
  },
  {
    id: 'messages.unknown-notification',
    says: 'Unknown notifications are ignored.',
    async check(worker) {
      await worker.settle();
      const seen = worker.lines.length;
      worker.notify('no.such.notification', { id: 1 });
      worker.notify('no.such.notification');
      for (const method of INHERITED) worker.notify(method);
      worker.write(frame({ method: 'no.such.notification', params: [1] }));
      await worker.settle();
      // Only the ping of `settle` is answered.
      const said = worker.lines.slice(seen).filter(({ message }) => message?.['method'] === undefined);
      expect(said.length === 1, `They were answered: ${said.slice(0, -1).map(show).join(' ')}`);
    },
  },
  {
    id: 'messages.unknown-fields',
    says: 'Unknown fields are ignored.',
    async check(worker) {
      const id = worker.nextId();
      worker.write(frame({ id, method: 'ping', params: { later: { a: 1 } }, later: [true], trace: 'x' }));
      expectResult(await worker.answer(id));
    },
  },
  {
    id: 'messages.unknown-response',
    says: 'An answer to a request that is not open has no effect.',
    async check(worker) {
      await worker.settle();
      const seen = worker.lines.length;
      worker.write(frame({ id: 987_654, result: null }));
      worker.write(frame({ id: 987_655, error: { code: -32_000, message: 'no', data: null } }));
      worker.write(frame({ id: null, error: { code: -32_700, message: 'not JSON' } }));
      await worker.settle();
      const said = worker.lines.slice(seen).filter(({ message }) => message?.['method'] === undefined);
      expect(said.length === 1, `It was answered: ${said.slice(0, -1).map(show).join(' ')}`);
    },
  },
  {
    id: 'messages.id-again',
    says: 'An `id` is free again once its request is answered.',
    async check(worker) {
      const id = worker.request('ping');
      await worker.answer(id);
      worker.request('ping', undefined, id);
      await worker.settle();
      const answers = worker.answers(id);
      expect(answers.length === 2, `It was answered ${answers.length} times in all.`);
      for (const answer of answers) expectResult(answer);
    },
  },
  {
    id: 'messages.open-id',
    says: 'A request whose `id` is open already is answered with -32600, and the open one is not disturbed.',
    tasks: ['sleep'],
    whileBusy: true,
    async check(worker) {
      const id = worker.run('sleep', { ms: 300 });
      worker.request('run', { task: 'sleep', input: { ms: 1 }, runId: 'second', attempt: 1 }, id);
      await worker.becomes(() => worker.answers(id).length > 1, worker.timeoutMs);
      const [refusal, answer] = worker.answers(id);
      expect(refusal !== undefined && answer !== undefined, 'There were not two answers.');
      expectError(refusal, -32_600);
      expectResult(answer);
    },
  },
  {
    id: 'messages.batch',
    says: 'Batches are not part of this protocol: the requests in an array are not answered.',
    level: 'should',
    async check(worker) {
      const ids = [worker.nextId(), worker.nextId()];
      const requests = ids.map((id) => frame({ id, method: 'ping' }).trimEnd());
      worker.write(`[${requests.join(',')}]\n`);
      await worker.settle();
      for (const id of ids) {
        const [answer] = worker.answers(id);
        expect(
          answer === undefined,
          `A request in it was answered: ${answer === undefined ? '' : show(answer)}`,
        );
      }
      await expectUsable(worker);
    },
  },
]);
