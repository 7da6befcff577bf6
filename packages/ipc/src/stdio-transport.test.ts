import { Duplex, PassThrough, Writable } from 'node:stream';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { note, record, sent, transportContract } from '../test/transport-contract.ts';
import { encodeFrame } from './codec.ts';
import type { Message } from './message.ts';
import { stdioTransport } from './stdio-transport.ts';

/** A writable side whose writes are finished by the test. */
function setup() {
  const clock = createManualClock();
  const readable = new PassThrough();
  const writes: string[] = [];
  const pending: ((error?: Error | null) => void)[] = [];
  const writable = new Writable({
    decodeStrings: false,
    highWaterMark: 1,
    write(text: string, _encoding, done) {
      writes.push(text);
      pending.push(done);
    },
  });
  const transport = stdioTransport({ readable, writable, clock });
  return {
    clock,
    readable,
    writable,
    writes,
    transport,
    received: record(transport),
    finishWrite: (error?: Error) => pending.shift()?.(error),
  };
}

const numbersOf = (messages: readonly Message[]): readonly unknown[] =>
  messages.map((message) =>
    'params' in message ? (message.params as { readonly n: unknown }).n : undefined,
  );
const frame = (n: number, padding?: string): string => encodeFrame(note(n, padding));

describe('stdioTransport', () => {
  for (const { title, run } of transportContract(() => {
    const [there, back] = [new PassThrough(), new PassThrough()];
    return {
      near: stdioTransport({ readable: back, writable: there, maxMessageBytes: 1_000 }),
      far: stdioTransport({ readable: there, writable: back, maxMessageBytes: 1_000 }),
      breakFar: () => void back.end(),
      inject: (bytes) => void back.write(bytes),
    };
  })) {
    it(title, run);
  }

  it('writes all frames of a turn at once, and the next when that write is done', async () => {
    const { transport, writes, finishWrite, clock } = setup();
    transport.send(frame(1));
    transport.send(frame(2));
    expect(writes).toEqual([]);
    await clock.settle();
    expect(writes).toEqual([frame(1) + frame(2)]);
    transport.send(frame(3));
    transport.send(frame(4));
    await clock.settle();
    expect(writes).toHaveLength(1);
    finishWrite();
    await clock.settle();
    expect(writes).toEqual([frame(1) + frame(2), frame(3) + frame(4)]);
  });

  describe('a large line that has arrived', () => {
    const large = frame(1, 'x'.repeat(300_000));
    const cut = large.length - 100;

    it('is read at once when nothing is on its way out', async () => {
      const { readable, received, clock } = setup();
      readable.write(large.slice(0, cut));
      readable.write(large.slice(cut) + frame(2));
      await clock.settle();
      expect(received.messages).toHaveLength(2);
      expect(clock.pendingTimers).toBe(0);
    });

    it('waits 2 ms for what is, and all behind it waits with it', async () => {
      const { transport, readable, received, clock } = setup();
      transport.send(frame(0));
      await clock.settle();
      readable.write(frame(5));
      readable.write(large.slice(0, cut));
      readable.write(large.slice(cut) + frame(2));
      readable.write(frame(3));
      await clock.settle();
      expect(numbersOf(received.messages)).toEqual([5]);
      await clock.advance(2);
      expect(numbersOf(received.messages)).toEqual([5, 1, 2, 3]);
      expect(clock.pendingTimers).toBe(0);
    });

    it('is delivered before the end that comes meanwhile', async () => {
      const { transport, readable, received, clock } = setup();
      transport.send(frame(0));
      await clock.settle();
      readable.write(large.slice(0, cut));
      readable.write(large.slice(cut));
      await clock.settle();
      expect(received.messages).toEqual([]);
      readable.destroy();
      await clock.settle();
      expect(numbersOf(received.messages)).toEqual([1]);
      expect(received.closes).toHaveLength(1);
      expect(clock.pendingTimers).toBe(0);
    });
  });

  it('writes the first quarter of a turn of many ahead of the rest, going by the turn before', async () => {
    const { transport, writes, finishWrite, clock } = setup();
    const sendTurn = async (count: number): Promise<readonly number[]> => {
      const from = writes.length;
      for (let n = 0; n < count; n += 1) transport.send(frame(n));
      const early = writes.slice(from);
      await clock.settle();
      finishWrite();
      await clock.settle();
      finishWrite();
      await clock.settle();
      expect(writes.slice(from).join('')).toBe(Array.from({ length: count }, (_, n) => frame(n)).join(''));
      return early.map((text) => text.split('\n').length - 1);
    };
    expect(await sendTurn(15)).toEqual([]);
    expect(await sendTurn(100)).toEqual([16]);
    expect(await sendTurn(100)).toEqual([25]);
    expect(await sendTurn(20)).toEqual([]);
    expect(await sendTurn(20)).toEqual([16]);
  });

  it('writes no more than about a mebibyte at once, so that no join outgrows a string', async () => {
    const { transport, writes, finishWrite, clock } = setup();
    const padding = 'x'.repeat(400_000);
    for (let n = 0; n < 5; n += 1) transport.send(frame(n, padding));
    for (let n = 0; n < 3; n += 1) {
      await clock.settle();
      finishWrite();
    }
    expect(writes).toEqual([
      frame(0, padding),
      frame(1, padding) + frame(2, padding),
      frame(3, padding) + frame(4, padding),
    ]);
  });

  it('does not wait for the end of the turn with what is large, so that the far side can begin', () => {
    const { transport, writes } = setup();
    transport.send(frame(1));
    transport.send(frame(2, 'x'.repeat(40_000)));
    transport.send(frame(3));
    expect(writes).toEqual([frame(1) + frame(2, 'x'.repeat(40_000))]);
  });

  it('tells a sender when its own write was taken', async () => {
    const { transport, finishWrite, clock } = setup();
    const log: string[] = [];
    transport.send(frame(1), { onSent: () => log.push('first') });
    await clock.settle();
    transport.send(frame(2), { onSent: () => log.push('second') });
    expect(log).toEqual([]);
    finishWrite();
    expect(log).toEqual(['first']);
    await clock.settle();
    finishWrite();
    expect(log).toEqual(['first', 'second']);
  });

  it('delivers what a dead peer left before it rejects what could not be written', async () => {
    const { transport, readable, received, finishWrite, clock } = setup();
    const write = sent(transport, note(1));
    const log: string[] = [];
    write.catch(() => log.push('rejected'));
    await clock.settle();
    finishWrite(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    await clock.settle();
    await expect(sent(transport, note(2))).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
      reason: 'failed',
    });
    readable.write(frame(9));
    await received.frames(1);
    expect(log).toEqual([]);
    readable.end();
    expect((await received.closed).reason).toBe('ended');
    await expect(write).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('fails 250 ms after a write failed when the peer keeps its own side open', async () => {
    const { transport, received, finishWrite, clock } = setup();
    const [error, outcome] = [new Error('gone'), Promise.allSettled([sent(transport, note(1))])];
    await clock.settle();
    finishWrite(error);
    await clock.advance(249);
    expect(received.closes).toEqual([]);
    await clock.advance(1);
    expect(received.closes).toEqual([{ reason: 'failed', error }]);
    expect(await outcome).toMatchObject([{ reason: { code: 'CONNECTION_CLOSED', cause: error } }]);
  });

  it('rejects a write that nobody takes when the peer ends, and lets the stream go', async () => {
    const { transport, readable, writable, clock } = setup();
    const stuck = sent(transport, note(1));
    await clock.settle();
    const behind = sent(transport, note(2));
    const outcomes = Promise.allSettled([stuck, behind]);
    readable.end();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(writable.destroyed).toBe(true);
    await transport.close();
  });

  it('closes when the last byte was taken, without waiting for the peer', async () => {
    const { transport, writable, finishWrite, received, clock } = setup();
    let closed = false;
    transport.send(frame(1));
    void transport.close().then(() => (closed = true));
    await clock.settle();
    expect(closed).toBe(false);
    finishWrite();
    await clock.settle();
    expect([closed, writable.writableFinished, received.closes]).toEqual([true, true, []]);
  });

  it('is closed by its owner ending the stream: no send goes out, nothing fails', async () => {
    const { transport, writable, received, clock } = setup();
    writable.end();
    await expect(sent(transport, note(1))).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await clock.advance(1_000);
    expect(received.closes).toEqual([]);
    await transport.close();
  });

  it.each(['ended', 'failed'])('tells at the start of a stream that %s before', async (reason) => {
    const readable = new PassThrough();
    readable.on('error', () => undefined);
    readable.destroy(reason === 'failed' ? new Error('cut') : undefined);
    await new Promise((resolve) => void setImmediate(resolve));
    const { closed } = record(stdioTransport({ readable, writable: new PassThrough() }));
    expect((await closed).reason).toBe(reason);
  });

  it('fails with its readable side', async () => {
    const { readable, received } = setup();
    const error = new Error('cut');
    readable.destroy(error);
    expect(await received.closed).toEqual({ reason: 'failed', error });
  });

  it('takes one duplex stream for both sides', async () => {
    const echo = new Duplex({
      read: () => undefined,
      write(chunk, _encoding, done) {
        this.push(chunk);
        done();
      },
      final(done) {
        this.push(null);
        done();
      },
    });
    const transport = stdioTransport({ readable: echo, writable: echo });
    const received = record(transport);
    await sent(transport, note(1));
    await received.frames(1);
    await transport.close();
    expect((await received.closed).reason).toBe('closed');
  });
});
