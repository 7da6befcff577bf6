import { describe, expect, it } from 'vitest';
import { transportContract } from '../test/transport-contract.ts';
import { memoryTransportPair } from './memory-transport.ts';

describe('memoryTransportPair', () => {
  for (const { title, run } of transportContract(() => {
    const [near, far] = memoryTransportPair({ maxMessageBytes: 1_000 });
    return { near, far, breakFar: () => far.break(), inject: (bytes) => far.inject(bytes) };
  })) {
    it(title, run);
  }

  it('tells both ends of a failure', async () => {
    const [a, b] = memoryTransportPair();
    const ends = [a, b].map(
      (transport) =>
        new Promise((resolve) => {
          transport.start({ onMessage: () => undefined, onMalformed: () => undefined, onClose: resolve });
        }),
    );
    const error = new Error('cut');
    a.break(error);
    expect(await Promise.all(ends)).toEqual([
      { reason: 'failed', error },
      { reason: 'failed', error },
    ]);
  });
});
