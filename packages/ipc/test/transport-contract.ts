import { strict as assert } from 'node:assert';
import { createDeferred } from '@pawl/core';
import { type CloseInfo, encodeFrame, type MalformedFrame, type Message, type Transport } from '@pawl/ipc';

/** Two connected ends and what their channel can suffer. */
export interface TransportPair {
  readonly near: Transport;
  readonly far: Transport;
  /** Ends the far side as a dying process would. */
  readonly breakFar: () => void;
  /** Puts raw bytes on the far side's way to the near one. */
  readonly inject: (bytes: string) => void;
}

export interface TransportCheck {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** A receiver that records what arrives and waits for what will. */
export function record(transport: Transport) {
  const messages: Message[] = [];
  const malformed: MalformedFrame[] = [];
  const closed = createDeferred<CloseInfo>();
  const closes: CloseInfo[] = [];
  let waiting: { readonly count: number; readonly resolve: () => void } | undefined;
  const arrived = (): void => {
    if (waiting !== undefined && messages.length + malformed.length >= waiting.count) waiting.resolve();
  };
  transport.start({
    onMessage(message) {
      assert.equal(closes.length, 0, 'a message came behind the close');
      messages.push(message);
      arrived();
    },
    onMalformed(frame) {
      assert.equal(closes.length, 0, 'a malformed frame came behind the close');
      malformed.push(frame);
      arrived();
    },
    onClose(info) {
      closes.push(info);
      closed.resolve(info);
    },
  });
  return {
    messages,
    malformed,
    closes,
    closed: closed.promise,
    /** Resolves when `count` frames of either kind have come. */
    frames: (count: number) =>
      new Promise<void>((resolve) => {
        waiting = { count, resolve };
        arrived();
      }),
  };
}

export const note = (n: number, padding = ''): Message => ({
  jsonrpc: '2.0',
  method: 'note',
  params: { n, padding },
});

export function sent(transport: Transport, message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    transport.send(encodeFrame(message), {
      onSent: (error) => (error === undefined ? resolve() : reject(error)),
    });
  });
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** The rules of a Transport, as checks to run against each one; its `maxMessageBytes` is 1000. */
export function transportContract(create: () => TransportPair): readonly TransportCheck[] {
  const check = (title: string, body: (pair: TransportPair) => Promise<void>): TransportCheck => ({
    title,
    run: async () => {
      const pair = create();
      try {
        await body(pair);
      } finally {
        await pair.near.close();
        await pair.far.close();
      }
    },
  });
  return [
    check('delivers frames in order, both ways', async ({ near, far }) => {
      const [atNear, atFar] = [record(near), record(far)];
      for (let n = 0; n < 100; n += 1) {
        near.send(encodeFrame(note(n)));
        far.send(encodeFrame(note(-n)));
      }
      await Promise.all([atNear.frames(100), atFar.frames(100)]);
      assert.deepEqual(
        atFar.messages,
        Array.from({ length: 100 }, (_, n) => note(n)),
      );
      assert.deepEqual(
        atNear.messages,
        Array.from({ length: 100 }, (_, n) => JSON.parse(JSON.stringify(note(-n))) as Message),
      );
    }),
    check('loses nothing that arrived before the start', async ({ near, far }) => {
      record(far);
      await Promise.all([sent(far, note(1)), sent(far, note(2))]);
      await turn();
      const atNear = record(near);
      far.send(encodeFrame(note(3)));
      await atNear.frames(3);
      assert.deepEqual(atNear.messages, [note(1), note(2), note(3)]);
    }),
    check('reports a line that is no frame, and a line over the limit, and goes on', async (pair) => {
      const atNear = record(pair.near);
      record(pair.far);
      pair.inject('print\n');
      pair.inject(`${'x'.repeat(1_001)}\n`);
      pair.far.send(encodeFrame(note(1)));
      await atNear.frames(3);
      assert.deepEqual(atNear.messages, [note(1)]);
      assert.deepEqual(
        atNear.malformed.map(({ sizeBytes }) => sizeBytes),
        [5, 1_001],
      );
    }),
    check(
      'delivers what was sent before the close, then closes once on both sides',
      async ({ near, far }) => {
        const [atNear, atFar] = [record(near), record(far)];
        near.send(encodeFrame(note(1)));
        near.send(encodeFrame(note(2)));
        await Promise.all([near.close(), near.close()]);
        assert.equal((await atFar.closed).reason, 'ended');
        assert.deepEqual(atFar.messages, [note(1), note(2)]);
        await far.close();
        assert.equal((await atNear.closed).reason, 'closed');
        await turn();
        assert.deepEqual([atNear.closes.length, atFar.closes.length], [1, 1]);
      },
    ),
    check('refuses to send after its close', async ({ near, far }) => {
      record(near);
      record(far);
      await near.close();
      await assert.rejects(sent(near, note(1)), { code: 'CONNECTION_CLOSED' });
    }),
    check(
      'delivers what the peer sent before it died, then refuses to send',
      async ({ near, far, breakFar }) => {
        const atNear = record(near);
        record(far);
        await sent(far, note(1));
        breakFar();
        assert.equal((await atNear.closed).reason, 'ended');
        assert.deepEqual(atNear.messages, [note(1)]);
        await assert.rejects(sent(near, note(1)), { code: 'CONNECTION_CLOSED' });
      },
    ),
    check('reports an unfinished line when the peer dies', async ({ near, far, breakFar, inject }) => {
      const atNear = record(near);
      record(far);
      inject('{"jsonrpc":"2.0","method":"no');
      await turn();
      breakFar();
      await atNear.closed;
      assert.deepEqual(
        atNear.malformed.map(({ reason }) => reason),
        ['not ended by a newline'],
      );
    }),
  ];
}
