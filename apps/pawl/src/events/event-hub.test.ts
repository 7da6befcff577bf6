import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEventHub, type ServiceEvent, type SubscribeOptions } from './event-hub.ts';

function setup(keep = 3) {
  const clock = createManualClock();
  const hub = createEventHub({ clock, keep });
  const left = new AbortController();
  onTestFinished(() => left.abort());
  const subscribe = (options: Omit<SubscribeOptions, 'signal'> = {}) =>
    hub.subscribe({ ...options, signal: left.signal });
  return { hub, subscribe, left, clock };
}

const take = async (events: AsyncIterator<ServiceEvent>, count: number): Promise<readonly unknown[]> => {
  const taken: unknown[] = [];
  for (let n = 0; n < count; n += 1) {
    const { value } = (await events.next()) as { readonly value: ServiceEvent };
    taken.push(value.type === 'reset' ? 'reset' : JSON.parse(value.data));
  }
  return taken;
};

describe('createEventHub', () => {
  it('gives each subscriber what comes after it, in order', async () => {
    const { hub, subscribe } = setup();
    hub.publish('run', 'before');
    const [one, other] = [subscribe(), subscribe()];
    const taken = [take(one, 2), take(other, 2)];
    hub.publish('run', 1);
    hub.publish('stats', 2);
    expect(await Promise.all(taken)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('gives only what is asked for', async () => {
    const { hub, subscribe } = setup();
    const taken = take(subscribe({ types: ['stats'] }), 1);
    hub.publish('run', 1);
    hub.publish('stats', 2);
    expect(await taken).toEqual([2]);
  });

  it('goes on where a subscriber was, and has it begin anew when that is too long ago', async () => {
    const { hub, subscribe } = setup();
    const first = subscribe();
    const next = first.next();
    hub.publish('run', 1);
    const { sequence } = (await next).value as ServiceEvent;
    for (const n of [2, 3, 4]) hub.publish('run', n);
    expect(await take(subscribe({ after: sequence }), 3)).toEqual([2, 3, 4]);
    expect(await take(subscribe({ after: sequence - 1 }), 1)).toEqual(['reset']);
    // Of a service that knows more than this one: it was there before a restart.
    expect(await take(subscribe({ after: sequence + 1_000 }), 1)).toEqual(['reset']);
  });

  it('has a slow subscriber begin anew rather than keep everything for it', async () => {
    const { hub, subscribe } = setup();
    const slow = subscribe();
    const first = slow.next();
    hub.publish('run', 1);
    await first;
    for (let n = 2; n <= 9; n += 1) hub.publish('run', n);
    expect(await take(slow, 1)).toEqual(['reset']);
    hub.publish('run', 10);
    expect(await take(slow, 1)).toEqual([10]);
  });

  it('begins higher after a restart than it ever was', async () => {
    const { hub, clock, subscribe } = setup();
    const first = subscribe().next();
    hub.publish('run', 1);
    await clock.advance(1_000);
    const later = createEventHub({ clock });
    const signal = AbortSignal.timeout(10_000);
    const second = later.subscribe({ signal }).next();
    later.publish('run', 1);
    const [before, after] = await Promise.all([first, second]);
    expect((after.value as ServiceEvent).sequence).toBeGreaterThan((before.value as ServiceEvent).sequence);
  });

  it('ends with its signal, and forgets who has left', async () => {
    const { hub, subscribe, left } = setup();
    const events = subscribe();
    const next = events.next();
    expect(hub.subscribers).toBe(1);
    left.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(hub.subscribers).toBe(0);
  });

  it('refuses what is no JSON', () => {
    const { hub } = setup();
    expect(() => hub.publish('run', undefined)).toThrow(expect.objectContaining({ code: 'EVENT_INVALID' }));
  });
});
