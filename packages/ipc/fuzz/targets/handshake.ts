import { strict as assert } from 'node:assert';
import { hasCode } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import {
  acceptWorker,
  createConnection,
  type Hello,
  introduce,
  memoryTransportPair,
  type VersionRange,
} from '@pawl/ipc';
import * as fc from 'fast-check';
import type { Target } from '../target.ts';

const TIMEOUT_MS = 1_000;
const CODES = ['HANDSHAKE_FAILED', 'PROTOCOL_VERSION', 'CONNECTION_CLOSED'];

const hello: Hello = {
  protocol: { min: 1, max: 1 },
  name: 'fuzzed',
  language: 'javascript',
  version: '1.0.0',
  pid: 7,
  tasks: ['echo'],
  features: [],
};

const range: fc.Arbitrary<VersionRange> = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.nat({ max: 4 }))
  .map(([min, more]) => ({ min, max: min + more }));

/** One of the two values, or any JSON. */
const odd = (...right: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: fc.jsonValue() });

/** What comes in place of a `hello`, from nearly right to anything. */
const oddHello = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      protocol: odd({ min: 1, max: 1 }, { min: 2, max: 9 }, { min: 1 }),
      pid: odd(7, '7'),
      tasks: odd(['echo'], [1]),
      features: odd([], ['log', 'made-up']),
      name: odd('n'),
    },
    { requiredKeys: [] },
  ),
);

/** And of the host's answer. */
const oddAnswer = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      protocol: odd(1, 2, '1'),
      workerId: odd('w'),
      heartbeatMs: odd(5_000, -1),
      maxMessageBytes: odd(1_000_000, 0, -5, 1e300),
      reason: odd('no'),
      supported: odd({ min: 1, max: 1 }, { min: 2, max: 3 }),
    },
    { requiredKeys: [] },
  ),
);

function setup() {
  const clock = createManualClock();
  const [near, far] = memoryTransportPair();
  return { clock, near, far, timing: { clock, timeoutMs: TIMEOUT_MS } };
}

const accept = { workerId: 'w', heartbeatMs: 5_000, maxMessageBytes: 1_000_000 };

async function meet(ours: VersionRange, theirs: VersionRange): Promise<void> {
  const { clock, near, far, timing } = setup();
  const host = createConnection(near, { clock });
  const worker = createConnection(far, { clock, methods: { ping: () => ({ pid: 7 }) } });
  const outcomes = Promise.all([
    acceptWorker(host, { ...accept, ...timing, protocol: ours }).then(
      ({ protocol }) => protocol,
      codeAndRanges,
    ),
    introduce(worker, { ...hello, protocol: theirs }, timing).then(({ protocol }) => protocol, codeAndRanges),
  ]);
  await clock.settle();
  const common = Math.min(ours.max, theirs.max);
  if (common >= Math.max(ours.min, theirs.min)) {
    assert.deepEqual(await outcomes, [theirs, common]);
    assert.deepEqual(await host.request('ping'), { pid: 7 });
    await host.close();
  } else {
    assert.deepEqual(await outcomes, [
      { code: 'PROTOCOL_VERSION', ours, theirs },
      { code: 'PROTOCOL_VERSION', ours: theirs, theirs: ours },
    ]);
    await host.closed;
  }
  assert.equal(clock.pendingTimers, 0);
}

function codeAndRanges(error: unknown): unknown {
  const { code, ours, theirs } = error as Readonly<Record<'code' | 'ours' | 'theirs', unknown>>;
  return { code, ours, theirs };
}

/** What arrives instead of the frame that is waited for; the handshake ends all the same, by its timeout at the latest. */
async function startle(
  side: 'host' | 'worker',
  notifications: readonly (readonly [method: string, params: unknown])[],
  end: boolean,
): Promise<void> {
  const { clock, near, far, timing } = setup();
  const connection = createConnection(near, { clock });
  const outcomes: unknown[] = [];
  const handshake =
    side === 'host'
      ? acceptWorker(connection, { ...accept, ...timing })
      : introduce(connection, hello, timing);
  handshake.then(
    () => outcomes.push('accepted'),
    (error: unknown) => outcomes.push(error),
  );
  for (const [method, params] of notifications) {
    far.inject(`${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`);
  }
  if (end) await far.close();
  await clock.advance(TIMEOUT_MS);
  assert.equal(outcomes.length, 1);
  const [outcome] = outcomes;
  assert.ok(outcome === 'accepted' || hasCode(outcome, ...CODES), String(outcome));
  await connection.close();
  assert.equal(clock.pendingTimers, 0);
}

const stray = fc.tuple(fc.constantFrom('log', 'cancel', 'progress'), fc.jsonValue());

export const handshakeTargets: readonly Target[] = [
  {
    name: 'handshake.versions',
    says: 'agrees on the highest version that both speak, or names both ranges on both sides',
    property: fc.asyncProperty(range, range, meet),
  },
  {
    name: 'handshake.host',
    says: 'takes or refuses whatever comes in place of a `hello`, and leaves no timer',
    property: fc.asyncProperty(
      fc.array(fc.oneof(stray, fc.tuple(fc.constant('hello'), oddHello)), { maxLength: 3 }),
      fc.boolean(),
      (notifications, end) => startle('host', notifications, end),
    ),
  },
  {
    name: 'handshake.worker',
    says: 'takes or refuses whatever comes in place of a `welcome`, and leaves no timer',
    property: fc.asyncProperty(
      fc.array(fc.oneof(stray, fc.tuple(fc.constantFrom('welcome', 'refuse'), oddAnswer)), { maxLength: 3 }),
      fc.boolean(),
      (notifications, end) => startle('worker', notifications, end),
    ),
  },
];
