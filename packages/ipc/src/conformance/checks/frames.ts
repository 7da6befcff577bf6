import { frame, MAX_MESSAGE_BYTES, runParams } from '../host-frames.ts';
import type { RawWorker } from '../raw-worker.ts';
import { expect, expectResult, expectResultOf, expectUsable, type Rule, rulesOf, show } from '../rule.ts';

const TEXT = 'a€𝄞\u0000\u2028\\"é';

export const frameRules: readonly Rule[] = rulesOf('Frames', [
  {
    id: 'frames.well-formed',
    says: 'Each line the worker writes is one JSON object in UTF-8, ended by a newline.',
    worker: 'welcomed',
    async check(worker) {
      await worker.settle();
      await worker.answer(worker.request('no.such.method'));
      await worker.answer(worker.run('no such task', null));
      worker.notify('shutdown', { graceMs: 1_000 });
      await worker.exit(1_000);
      for (const line of worker.lines) {
        expect(line.fault === undefined, `A line is ${line.fault}: ${show(line)}.`);
      }
      expect(worker.unfinishedLine.length === 0, 'The last line has no newline.');
    },
  },
  {
    id: 'frames.crlf',
    says: 'A frame may end with `\\r\\n`.',
    async check(worker) {
      await pingsWith(worker, (ping) => ping.replace('\n', '\r\n'));
    },
  },
  {
    id: 'frames.blank-lines',
    says: 'Blank lines are skipped.',
    async check(worker) {
      await pingsWith(worker, (ping) => `\n\r\n\n${ping}\n`);
    },
  },
  {
    id: 'frames.byte-order-mark',
    says: 'A byte order mark on the first line is skipped.',
    worker: 'silent',
    async check(worker) {
      await worker.hello();
      const id = worker.nextId();
      // The first line is a whole request: a worker may take a lost welcome lightly.
      worker.write(`\uFEFF${frame({ id, method: 'ping' })}`);
      await worker.answer(id);
    },
  },
  {
    id: 'frames.split-anywhere',
    says: 'A frame may come in any number of pieces, cut between any two bytes.',
    async check(worker) {
      const id = worker.nextId();
      await worker.writePieces(
        Array.from(Buffer.from(frame({ id, method: 'ping' })), (byte) => Buffer.of(byte)),
        1,
      );
      expectResult(await worker.answer(id));
    },
  },
  {
    id: 'frames.split-character',
    says: 'A cut inside a multi-byte character changes nothing.',
    tasks: ['echo'],
    async check(worker) {
      const id = worker.nextId();
      const bytes = Buffer.from(frame({ id, method: 'run', params: runParams('echo', '€𝄞') }));
      const at = bytes.indexOf('€𝄞');
      // After each byte of the two characters, of which they have three and four.
      const cuts = [0, at + 1, at + 2, at + 3, at + 4, at + 5, at + 6, bytes.length];
      await worker.writePieces(
        cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end)),
        5,
      );
      expectResultOf(await worker.answer(id), '€𝄞');
    },
  },
  {
    id: 'frames.many-in-one-chunk',
    says: 'Many frames may come in one piece.',
    async check(worker) {
      const ids = Array.from({ length: 50 }, () => worker.nextId());
      worker.write(ids.map((id) => frame({ id, method: 'ping' })).join(''));
      for (const id of ids) expectResult(await worker.answer(id));
    },
  },
  {
    id: 'frames.longest',
    says: 'A frame of exactly `maxMessageBytes` bytes is taken.',
    async check(worker) {
      const id = worker.nextId();
      const empty = Buffer.byteLength(frame({ id, method: 'ping', params: { text: '' } })) - 1;
      worker.request('ping', { text: 'x'.repeat(MAX_MESSAGE_BYTES - empty) }, id);
      expectResult(await worker.answer(id));
    },
  },
  {
    id: 'frames.key-order',
    says: 'The order of keys means nothing.',
    async check(worker) {
      const id = worker.nextId();
      worker.write(`{"params":{},"method":"ping","id":${id},"jsonrpc":"2.0"}\n`);
      expectResult(await worker.answer(id));
    },
  },
  {
    id: 'frames.whitespace',
    says: 'A frame may have any JSON whitespace but a newline, and any JSON escapes.',
    async check(worker) {
      const id = worker.nextId();
      worker.write(` \t{ "jsonrpc" :\t"2.0" , "\\u0069d":${id},"method"  :"\\u0070in\\u0067" } \n`);
      expectResult(await worker.answer(id));
    },
  },
  {
    id: 'frames.repeated-key',
    says: 'Of a key that appears twice, the last counts.',
    async check(worker) {
      const [first, last] = [worker.nextId(), worker.nextId()];
      worker.write(`{"jsonrpc":"2.0","id":${first},"method":"nothing","id":${last},"method":"ping"}\n`);
      expectResult(await worker.answer(last));
      expect(worker.answers(first).length === 0, 'The first `id` was answered.');
    },
  },
  {
    id: 'frames.deep-nesting',
    says: 'A deeply nested frame costs at most itself.',
    async check(worker) {
      for (const depth of [1_000, 100_000]) {
        worker.write(
          `{"jsonrpc":"2.0","method":"nothing","params":${'['.repeat(depth)}${']'.repeat(depth)}}\n`,
        );
      }
      await expectUsable(worker);
    },
  },
  {
    id: 'frames.big-numbers',
    says: 'A number beyond what the worker can represent costs at most its frame.',
    async check(worker) {
      for (const number of ['1e400', '-1e-400', '9'.repeat(400), '9'.repeat(6_000), `0.${'1'.repeat(400)}`]) {
        worker.write(`{"jsonrpc":"2.0","method":"nothing","params":{"id":${number},"n":${number}}}\n`);
        worker.write(`{"jsonrpc":"2.0","method":"cancel","params":{"id":${number}}}\n`);
      }
      await expectUsable(worker);
    },
  },
  {
    id: 'frames.text',
    says: 'Any text comes through, control characters and characters of four bytes included.',
    tasks: ['echo'],
    async check(worker) {
      expectResultOf(await worker.answer(worker.run('echo', { [TEXT]: TEXT })), { [TEXT]: TEXT });
    },
  },
  {
    id: 'frames.lone-surrogate',
    says: 'Text that has no UTF-8 costs at most its run: the answer is a frame all the same.',
    tasks: ['echo'],
    async check(worker) {
      const id = worker.nextId();
      worker.write(
        `{"jsonrpc":"2.0","id":${id},"method":"run","params":{"task":"echo","input":"\\ud800","runId":"r","attempt":1}}\n`,
      );
      await worker.answer(id);
      await expectUsable(worker);
    },
  },
  {
    id: 'frames.prototype-keys',
    says: 'A key is a key, whatever it is called.',
    tasks: ['echo'],
    async check(worker) {
      const json = '{"__proto__":{"polluted":1},"constructor":2,"toString":3,"":4}';
      const id = worker.nextId();
      worker.write(
        `{"jsonrpc":"2.0","id":${id},"method":"run","params":{"task":"echo","input":${json},"runId":"r","attempt":1}}\n`,
      );
      expectResultOf(await worker.answer(id), JSON.parse(json));
    },
  },
]);

async function pingsWith(worker: RawWorker, disguise: (ping: string) => string): Promise<void> {
  const id = worker.nextId();
  worker.write(disguise(frame({ id, method: 'ping' })));
  expectResult(await worker.answer(id));
  await expectUsable(worker);
}
