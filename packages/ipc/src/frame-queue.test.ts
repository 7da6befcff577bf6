import { describe, expect, it } from 'vitest';
import { createFrameQueue } from './frame-queue.ts';

describe('createFrameQueue', () => {
  it('gives what waits as one text, once', () => {
    const queue = createFrameQueue();
    for (const frame of ['a', 'b', 'c']) queue.push(frame);
    expect(queue.isEmpty).toBe(false);
    expect(queue.take()?.text).toBe('abc');
    expect(queue.isEmpty).toBe(true);
    expect(queue.take()).toBeUndefined();
  });

  it('tells each listener of its own batch, in order', () => {
    const queue = createFrameQueue();
    const log: string[] = [];
    const big = 'x'.repeat(700_000);
    queue.push(big, { onSent: (error) => log.push(`first ${error?.message}`) });
    queue.push('small');
    queue.push(big, { onSent: (error) => log.push(`third ${error?.message}`) });
    const first = queue.take();
    expect(first?.text.length).toBe(700_005);
    const second = queue.take();
    second?.settle(new Error('gone'));
    first?.settle();
    expect(log).toEqual(['third gone', 'first undefined']);
  });

  it('gives a frame above a mebibyte alone', () => {
    const queue = createFrameQueue();
    queue.push('x'.repeat(3_000_000));
    queue.push('y');
    expect(queue.take()?.text.length).toBe(3_000_000);
    expect(queue.take()?.text).toBe('y');
  });
});
