import { frame, MAX_MESSAGE_BYTES } from '../host-frames.ts';
import type { RawWorker } from '../raw-worker.ts';
import { expect, expectUsable, type Rule, rulesOf, show } from '../rule.ts';

/** Half of a two-byte character, and a byte that no character has. */
const INVALID = Buffer.of(0xc3, 0x28, 0xff);

export const malformedFrameRules: readonly Rule[] = rulesOf('Frames', [
  {
    id: 'frames.invalid-utf8',
    says: 'A line that is not valid UTF-8 costs itself and nothing else.',
    async check(worker) {
      worker.write(
        Buffer.concat([
          Buffer.from('{"jsonrpc":"2.0","method":"x","params":{"a":"'),
          INVALID,
          Buffer.from('"}}\n'),
        ]),
      );
      worker.write(Buffer.concat([INVALID, Buffer.from('\n')]));
      await expectUsable(worker);
    },
  },
  {
    id: 'frames.not-json',
    says: 'A line that is not JSON costs itself and nothing else.',
    async check(worker) {
      for (const line of ['no JSON', '{"jsonrpc":"2.0"', '{}}', "{'a':1}", '\u0000', '{"a":NaN}', '"']) {
        worker.write(`${line}\n`);
      }
      await expectUsable(worker);
    },
  },
  {
    id: 'frames.not-an-object',
    says: 'A line that is JSON and no object costs itself and nothing else.',
    async check(worker) {
      for (const line of ['null', 'true', '42', '"text"', '[]', '[[]]']) worker.write(`${line}\n`);
      await expectUsable(worker);
    },
  },
  {
    id: 'frames.not-json-rpc',
    says: 'An object that is no JSON-RPC message costs itself and nothing else.',
    async check(worker) {
      for (const line of [
        '{}',
        '{"jsonrpc":"2.0"}',
        '{"jsonrpc":"2.0","method":42}',
        '{"jsonrpc":"2.0","method":null,"params":null}',
        '{"jsonrpc":2,"method":"nothing"}',
        '{"jsonrpc":"2.0","id":"a","method":{}}',
        '{"jsonrpc":"2.0","id":{},"method":"nothing"}',
        '{"jsonrpc":"2.0","id":[[1]],"method":"cancel"}',
      ]) {
        worker.write(`${line}\n`);
      }
      await expectUsable(worker);
    },
  },
  {
    id: 'frames.malformed-are-ignored',
    says: 'A malformed line is not taken for a request.',
    level: 'should',
    async check(worker) {
      const [invalid, unnamed, wrong] = [worker.nextId(), worker.nextId(), worker.nextId()];
      worker.write(
        Buffer.concat([
          Buffer.from(`{"jsonrpc":"2.0","id":${invalid},"method":"ping","params":{"a":"`),
          INVALID,
          Buffer.from('"}}\n'),
        ]),
      );
      worker.write(`{"id":${unnamed},"method":"ping"}\n{"jsonrpc":"1.0","id":${wrong},"method":"ping"}\n`);
      await worker.settle();
      for (const id of [invalid, unnamed, wrong]) expectNoResult(worker, id);
    },
  },
  {
    id: 'frames.over-long',
    says: 'A frame longer than `maxMessageBytes` costs itself and nothing else.',
    async check(worker) {
      worker.write(frame({ method: 'nothing', params: { text: 'x'.repeat(MAX_MESSAGE_BYTES) } }));
      await expectUsable(worker);
    },
  },
  {
    id: 'frames.over-long-is-dropped',
    says: 'A frame longer than the `maxMessageBytes` of `welcome` is dropped.',
    level: 'should',
    async check(worker) {
      const id = worker.request('ping', { text: 'x'.repeat(MAX_MESSAGE_BYTES) });
      await worker.settle();
      expectNoResult(worker, id);
    },
  },
  {
    id: 'frames.unfinished-line',
    says: 'A last line without a newline is malformed, even if it is complete JSON.',
    level: 'should',
    worker: 'welcomed',
    async check(worker) {
      await worker.settle();
      const id = worker.nextId();
      worker.write(frame({ id, method: 'ping' }).trimEnd());
      worker.closeInput();
      await worker.exit(1_000);
      expectNoResult(worker, id);
    },
  },
]);

function expectNoResult(worker: RawWorker, id: number): void {
  const answered = worker.answers(id).find(({ message }) => Object.hasOwn(message ?? {}, 'result'));
  expect(answered === undefined, `It was answered: ${answered === undefined ? '' : show(answered)}.`);
}
