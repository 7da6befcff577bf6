import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { createConnection } from './connection.ts';
import {
  acceptWorker,
  type AcceptWorkerOptions,
  type Hello,
  introduce,
  negotiateVersion,
} from './handshake.ts';
import { memoryTransportPair } from './memory-transport.ts';

const hello: Hello = {
  protocol: { min: 1, max: 1 },
  name: 'test-worker',
  language: 'node',
  version: '1.2.3',
  pid: 42,
  tasks: ['add'],
  features: ['cancel', 'progress'],
};

function setup(options: Partial<AcceptWorkerOptions> = {}) {
  const clock = createManualClock();
  const [near, far] = memoryTransportPair();
  const host = createConnection(near, { clock });
  const worker = createConnection(far, { clock });
  const accepted = acceptWorker(host, {
    workerId: 'w1',
    heartbeatMs: 5_000,
    maxMessageBytes: 10_000,
    clock,
    ...options,
  });
  accepted.catch(() => undefined);
  return { clock, host, worker, accepted };
}

describe('the handshake', () => {
  it('welcomes a worker and tells each side of the other', async () => {
    const { clock, worker, accepted } = setup();
    expect(await introduce(worker, hello, { clock })).toEqual({
      protocol: 1,
      workerId: 'w1',
      heartbeatMs: 5_000,
      maxMessageBytes: 10_000,
      runsAtOnce: 1,
    });
    expect(await accepted).toEqual(hello);
    expect(clock.pendingTimers).toBe(0);
  });

  it('binds the worker to the frames that the host takes, either way', async () => {
    const { clock, host, worker } = setup();
    await introduce(worker, hello, { clock });
    const malformed: unknown[] = [];
    worker.on('protocol:malformed', (event) => malformed.push(event));
    await host.notify('log', 'x'.repeat(10_000));
    await clock.settle();
    expect(malformed).toMatchObject([{ reason: 'longer than the limit of 10000 bytes' }]);
    await expect(worker.notify('log', 'x'.repeat(10_000))).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      maxMessageBytes: 10_000,
    });
  });

  it('chooses the highest version that both speak', async () => {
    const { clock, worker, accepted } = setup({ protocol: { min: 2, max: 5 } });
    const welcome = await introduce(worker, { ...hello, protocol: { min: 1, max: 3 } }, { clock });
    expect(welcome.protocol).toBe(3);
    await accepted;
  });

  it('refuses by naming both ranges, on both sides, and closes', async () => {
    const { clock, host, worker, accepted } = setup({ protocol: { min: 3, max: 4 } });
    const introduced = introduce(worker, hello, { clock });
    await expect(accepted).rejects.toMatchObject({
      code: 'PROTOCOL_VERSION',
      ours: { min: 3, max: 4 },
      theirs: { min: 1, max: 1 },
      message: 'No common protocol version: this side speaks versions 3 to 4, the far side version 1.',
    });
    await expect(introduced).rejects.toMatchObject({
      code: 'PROTOCOL_VERSION',
      ours: { min: 1, max: 1 },
      theirs: { min: 3, max: 4 },
    });
    expect(await host.closed).toEqual({ reason: 'closed' });
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    [{ pid: 'x' }, '`pid` to be a number'],
    [{ tasks: 'add' }, '`tasks` to be an array of strings'],
    [{ tasks: [1] }, '`tasks` to be an array of strings'],
    [{ features: {} }, '`features` to be an array of strings'],
    [{ protocol: 1 }, '`protocol` to be `{min, max}`, both integers'],
    [{ protocol: { min: '1', max: 1 } }, '`protocol` to be `{min, max}`, both integers'],
  ])('refuses a hello with %j and tells the worker why', async (fields, reason) => {
    const { host, worker, accepted } = setup();
    const refusal = new Promise((resolve) => void worker.onNotification('refuse', resolve));
    await worker.notify('hello', { ...hello, ...fields });
    const message = `The worker's \`hello\` needs ${reason}.`;
    await expect(accepted).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED', message });
    expect(await refusal).toEqual({ reason: message, supported: { min: 1, max: 1 } });
    expect(await host.closed).toEqual({ reason: 'closed' });
  });

  it('tells a worker why it was refused', async () => {
    const { clock, worker } = setup();
    await expect(introduce(worker, { ...hello, tasks: [1 as never] }, { clock })).rejects.toMatchObject({
      code: 'HANDSHAKE_FAILED',
      message: "The host refused this worker: The worker's `hello` needs `tasks` to be an array of strings.",
    });
  });

  it.each([undefined, null, 'hello', [], 7])('refuses the hello %j', async (params) => {
    const { worker, accepted } = setup();
    await worker.notify('hello', params);
    await expect(accepted).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
  });

  it('takes a hello with the least there is, and fields that it does not know', async () => {
    const { worker, accepted } = setup();
    await worker.notify('hello', { protocol: { min: 1, max: 1 }, pid: 1, tasks: [], future: true });
    expect(await accepted).toEqual({
      protocol: { min: 1, max: 1 },
      pid: 1,
      tasks: [],
      name: 'unknown',
      language: 'unknown',
      version: 'unknown',
      features: [],
    });
  });

  it('ends after ten seconds of silence, on either side', async () => {
    const { clock, accepted } = setup();
    const [lonely, deaf] = memoryTransportPair();
    deaf.start({ onMessage: () => undefined, onMalformed: () => undefined, onClose: () => undefined });
    const outcomes = Promise.allSettled([accepted, introduce(createConnection(lonely), hello, { clock })]);
    await clock.advance(9_999);
    expect(clock.pendingTimers).toBe(2);
    await clock.advance(1);
    expect(await outcomes).toMatchObject([
      { reason: { code: 'HANDSHAKE_FAILED', message: 'No `hello` within 10000 ms.' } },
      { reason: { code: 'HANDSHAKE_FAILED', message: 'No `welcome` or `refuse` within 10000 ms.' } },
    ]);
  });

  it('ends with the connection', async () => {
    const { clock, host, worker, accepted } = setup();
    const introduced = introduce(worker, hello, { clock });
    await host.close();
    await expect(accepted).rejects.toMatchObject({ code: 'CONNECTION_CLOSED', reason: 'closed' });
    await expect(introduced).rejects.toMatchObject({ code: 'CONNECTION_CLOSED', reason: 'ended' });
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    [{}, 'HANDSHAKE_FAILED'],
    [{ protocol: 'x', workerId: 'w' }, 'HANDSHAKE_FAILED'],
    [{ protocol: 2, workerId: 'w' }, 'PROTOCOL_VERSION'],
  ])('does not take the welcome %j', async (params, code) => {
    const clock = createManualClock();
    const [near, far] = memoryTransportPair();
    const [host, worker] = [createConnection(near), createConnection(far)];
    const introduced = introduce(worker, hello, { clock });
    await host.notify('welcome', params);
    await expect(introduced).rejects.toMatchObject({ code });
  });

  it('takes a refusal without a usable reason', async () => {
    const clock = createManualClock();
    const [near, far] = memoryTransportPair();
    const [host, worker] = [createConnection(near), createConnection(far)];
    const introduced = introduce(worker, hello, { clock });
    await host.notify('refuse');
    await expect(introduced).rejects.toMatchObject({
      message: 'The host refused this worker: it gave no reason.',
    });
  });

  it('delivers the requests that come right behind the welcome', async () => {
    const clock = createManualClock();
    const [near, far] = memoryTransportPair();
    const host = createConnection(near, { clock });
    const worker = createConnection(far, { clock, methods: { run: () => 'ran' } });
    const answer = acceptWorker(host, { workerId: 'w', heartbeatMs: 1, maxMessageBytes: 1_000, clock }).then(
      () => host.request('run'),
    );
    await introduce(worker, hello, { clock });
    expect(await answer).toBe('ran');
  });
});

describe('negotiateVersion', () => {
  it.each([
    [{ min: 1, max: 3 }, { min: 2, max: 5 }, 3],
    [{ min: 1, max: 1 }, { min: 1, max: 1 }, 1],
    [{ min: 1, max: 1 }, { min: 2, max: 2 }, undefined],
    [{ min: 4, max: 5 }, { min: 1, max: 3 }, undefined],
    [{ min: 1, max: 5 }, { min: 4, max: 2 }, undefined],
  ])('of %j and %j is %j', (ours, theirs, version) => {
    expect(negotiateVersion(ours, theirs)).toBe(version);
  });
});
