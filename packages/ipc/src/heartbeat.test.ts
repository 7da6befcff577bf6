import { createLeakCheck, createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { type HeartbeatOptions, startHeartbeat } from './heartbeat.ts';
import { ConnectionClosedError } from './ipc-errors.ts';

/** A far side that is played by hand: it sends a frame, answers the oldest ping, or says nothing. */
function setup(options: Partial<HeartbeatOptions> = {}) {
  const clock = createManualClock();
  const log: string[] = [];
  const pings: { readonly resolve: (pong: unknown) => void; readonly reject: (error: Error) => void }[] = [];
  const peer = {
    framesReceived: 0,
    request(method: string): Promise<unknown> {
      log.push(`${clock.now()} ${method}`);
      return new Promise((resolve, reject) => pings.push({ resolve, reject }));
    },
  };
  const heartbeat = startHeartbeat(peer, {
    intervalMs: 5_000,
    clock,
    onMissed: (missed) => log.push(`${clock.now()} missed ${missed}`),
    onPong: (pong) => log.push(`${clock.now()} ${String(pong)}`),
    onUnresponsive: ({ missed, silentMs }) =>
      log.push(`${clock.now()} unresponsive: ${missed} missed, ${silentMs} ms silent`),
    ...options,
  });
  const frame = (): void => {
    peer.framesReceived += 1;
  };
  return {
    clock,
    log,
    peer,
    heartbeat,
    frame,
    pong: async (): Promise<void> => {
      frame();
      pings.shift()?.resolve('pong');
      await clock.settle();
    },
    fail: async (error: Error): Promise<void> => {
      frame();
      pings.shift()?.reject(error);
      await clock.settle();
    },
  };
}

describe('startHeartbeat', () => {
  it('pings a silent peer once an interval as long as it answers', async () => {
    const { clock, log, pong } = setup();
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(5_000);
      await clock.advance(10);
      await pong();
    }
    expect(log).toEqual(['5000 ping', '5010 pong', '10010 ping', '10020 pong', '15020 ping', '15030 pong']);
  });

  it('never pings a peer that sends frames of any kind', async () => {
    const { clock, log, frame } = setup();
    for (let second = 0; second < 60; second += 4) {
      frame();
      await clock.advance(4_000);
    }
    expect(log).toEqual([]);
  });

  it('calls a peer unresponsive, once, when three pings in a row went unanswered', async () => {
    const { clock, log, frame, pong } = setup();
    await clock.advance(1_000);
    frame();
    await clock.advance(100_000);
    expect(log).toEqual([
      '10000 ping',
      '15000 missed 1',
      '15000 ping',
      '20000 missed 2',
      '20000 ping',
      '25000 missed 3',
      '25000 unresponsive: 3 missed, 20000 ms silent',
    ]);
    expect(clock.pendingTimers).toBe(0);
    await pong();
    expect(log).toHaveLength(7);
  });

  it.each([
    ['a late pong', 'pong'],
    ['another frame', 'frame'],
  ] as const)('begins to count anew after %s', async (_, sign) => {
    const { clock, log, ...far } = setup();
    await clock.advance(15_000);
    expect(log).toContain('15000 missed 2');
    await far[sign]();
    await clock.advance(19_000);
    expect(log.filter((line) => line.includes('unresponsive'))).toEqual([]);
    await clock.advance(10_000);
    expect(log.filter((line) => line.includes('unresponsive'))).toHaveLength(1);
  });

  it('takes an error response for a sign of life', async () => {
    const { clock, log, fail } = setup({ missesAllowed: 1 });
    for (let round = 0; round < 5; round += 1) {
      await clock.advance(5_000);
      await fail(new Error('There is no method "ping" here.'));
    }
    expect(log.filter((line) => line.includes('missed'))).toEqual([]);
  });

  it('allows as many misses as it is told', async () => {
    const { clock, log } = setup({ missesAllowed: 1 });
    await clock.advance(10_000);
    expect(log).toEqual(['5000 ping', '10000 missed 1', '10000 unresponsive: 1 missed, 10000 ms silent']);
  });

  it('does not blame the peer for a time in which this process itself was held up', async () => {
    const held = createManualClock();
    let heldUpMs = 0;
    const clock = { ...held, now: () => held.now() + heldUpMs };
    const { log, pong } = setup({ clock, missesAllowed: 1 });
    await held.advance(5_000);
    // The timer comes late; the pong lies in the pipe until this turn of the event loop is over.
    heldUpMs = 60_000;
    await held.advance(5_000);
    await pong();
    await held.advance(4_999);
    expect(log.map((line) => line.split(' ')[1])).toEqual(['ping', 'pong']);
    await held.advance(10_000);
    expect(log.at(-1)).toContain('unresponsive');
  });

  it('ends by itself with the connection', async () => {
    const { clock, log, fail } = setup();
    await clock.advance(5_000);
    await fail(new ConnectionClosedError({ reason: 'ended' }, 'ping'));
    await clock.advance(100_000);
    expect(log).toEqual(['5000 ping']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops for good, also in the middle of a ping or of a miss', async () => {
    const idle = setup();
    idle.heartbeat.stop();
    idle.heartbeat.stop();
    expect(idle.clock.pendingTimers).toBe(0);
    const waiting = setup();
    await waiting.clock.advance(5_000);
    waiting.heartbeat.stop();
    await waiting.pong();
    await waiting.clock.advance(100_000);
    expect(waiting.log).toEqual(['5000 ping']);
    const missing: ReturnType<typeof setup> = setup({
      onMissed: () => missing.heartbeat.stop(),
      missesAllowed: 1,
    });
    await missing.clock.advance(100_000);
    expect(missing.log).toEqual(['5000 ping']);
    expect(missing.clock.pendingTimers).toBe(0);
  });

  it('has one timer, which comes once an interval and never for an endless one', async () => {
    const { clock, frame } = setup({ intervalMs: 1_000 });
    let ticks = 0;
    for (; clock.now() < 60_000; ticks += 1) {
      expect(clock.pendingTimers).toBe(1);
      frame();
      await clock.advanceToNext();
    }
    expect(ticks).toBe(60);
    expect(setup({ intervalMs: Infinity }).clock.pendingTimers).toBe(0);
  });

  it('keeps no process alive', async () => {
    const leaks = createLeakCheck();
    const peer = { framesReceived: 0, request: () => Promise.resolve() };
    const heartbeat = startHeartbeat(peer, { intervalMs: 60_000, onUnresponsive: () => undefined });
    await leaks.assertNoLeak();
    heartbeat.stop();
  });

  it.each([
    [
      { intervalMs: 999 },
      'Expected `intervalMs` to be milliseconds ≥ 1000, or Infinity, got `999` (number).',
    ],
    [{ missesAllowed: 0 }, 'Expected `missesAllowed` to be an integer ≥ 1, got `0` (number).'],
  ])('refuses %j', (options, message) => {
    expect(() => setup(options)).toThrow(message);
  });
});
