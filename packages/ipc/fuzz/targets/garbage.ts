import { strict as assert } from 'node:assert';
import { createManualClock } from '@pawl/core/testing';
import {
  createConnection,
  createFrameDecoder,
  MalformedFrame,
  memoryTransportPair,
  type Message,
} from '@pawl/ipc';
import * as fc from 'fast-check';
import { cut, cutPlaces, line } from '../arbitraries.ts';
import type { Target } from '../target.ts';

/** Requests that the connection under fire has a method for, and more than one with the same id. */
const knownRequest = fc
  .record({
    jsonrpc: fc.constant('2.0'),
    id: fc.integer({ min: 1, max: 5 }),
    method: fc.constantFrom('echo', 'fail', 'progress', '__proto__', 'cancel'),
    params: fc.jsonValue(),
  })
  .map((message) => Buffer.from(JSON.stringify(message)));

const byNumber = (one: number, other: number): number => one - other;

async function fire(lines: readonly Buffer[], places: readonly number[]): Promise<void> {
  const clock = createManualClock();
  const [near, far] = memoryTransportPair({ maxMessageBytes: 10_000 });
  const host = createConnection(near, {
    clock,
    methods: {
      echo: (params) => params,
      fail: () => Promise.reject(new Error('boom')),
      progress: (_, { notify }) => notify('progress', { at: 1 }),
    },
  });
  const malformed: string[] = [];
  host.on('protocol:malformed', ({ reason }) => malformed.push(reason));
  const got: Message[] = [];
  far.start({
    onMessage: (message) => got.push(message),
    onMalformed: ({ reason }) => assert.fail(`it sent a line that is ${reason}`),
    onClose: () => undefined,
  });

  const bytes = Buffer.concat(lines.flatMap((each) => [each, Buffer.from('\n')]));
  for (const chunk of cut(bytes, places)) far.inject(chunk);
  await clock.settle();

  const sent = createFrameDecoder({ maxMessageBytes: 10_000 }).push(bytes);
  assert.equal(malformed.length, sent.filter((frame) => frame instanceof MalformedFrame).length);
  const asked = sent
    .filter((frame) => 'method' in frame && 'id' in frame)
    .map((frame) => (frame as { id: number }).id);
  const answered = got
    .filter((message) => !('method' in message))
    .map((message) => (message as { id: number }).id);
  assert.deepEqual(
    answered.toSorted(byNumber),
    asked.toSorted(byNumber),
    'a request was not answered exactly once',
  );

  const response = host.request('run');
  await clock.settle();
  const request = got.at(-1);
  assert.ok(request !== undefined && 'method' in request && 'id' in request);
  far.inject(`${JSON.stringify({ jsonrpc: '2.0', id: request.id, result: 'still here' })}\n`);
  assert.equal(await response, 'still here');
  // Ids are free again once they were answered.
  for (let id = 1; id <= 5; id += 1) {
    far.inject(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'echo', params: 'again' })}\n`);
    await clock.settle();
    assert.deepEqual(got.at(-1), { jsonrpc: '2.0', id, result: 'again' });
  }
  await host.close();
  assert.deepEqual([host.openRequests, clock.pendingTimers], [0, 0]);
  assert.deepEqual(Object.keys(Object.prototype), []);
}

export const garbageTargets: readonly Target[] = [
  {
    name: 'connection.garbage',
    says: 'answers each request in a stream of garbage once, counts each bad line, and works on',
    property: fc.asyncProperty(fc.array(fc.oneof(line, knownRequest), { maxLength: 12 }), cutPlaces, fire),
  },
];
