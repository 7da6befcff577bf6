import { describe, expect, it } from 'vitest';
import { createEmitter, type Emitter } from '../emitter.ts';
import { createEventMonitor, type EventMonitor } from './event-monitor.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

interface Events {
  readonly 'worker:ready': { readonly workerId: number };
  readonly 'worker:crashed': { readonly workerId: number };
}

function setup(): { emitter: Emitter<Events>; events: EventMonitor<Events>; clock: ManualClock } {
  const clock = createManualClock();
  const emitter = createEmitter<Events>();
  return { clock, emitter, events: createEventMonitor(emitter, { clock, timeoutMs: 1_000 }) };
}

describe('createEventMonitor', () => {
  it('gives recorded events in order, each once, then waits for the next', async () => {
    const { emitter, events } = setup();
    emitter.emit('worker:ready', { workerId: 1 });
    emitter.emit('worker:crashed', { workerId: 1 });
    emitter.emit('worker:ready', { workerId: 2 });
    expect(await events.next('worker:ready')).toEqual({ workerId: 1 });
    expect(await events.next('worker:ready')).toEqual({ workerId: 2 });
    const third = events.next('worker:ready');
    emitter.emit('worker:ready', { workerId: 3 });
    expect(await third).toEqual({ workerId: 3 });
    const fourth = events.next('worker:ready');
    emitter.emit('worker:ready', { workerId: 4 });
    expect(await fourth).toEqual({ workerId: 4 });
    expect(await events.next('worker:crashed')).toEqual({ workerId: 1 });
  });

  it('gives one event to one waiter, the oldest that it suits', async () => {
    const { emitter, events } = setup();
    const second = events.next('worker:ready', ({ workerId }) => workerId === 2);
    const any = events.next('worker:ready');
    emitter.emit('worker:ready', { workerId: 1 });
    emitter.emit('worker:ready', { workerId: 2 });
    expect(await any).toEqual({ workerId: 1 });
    expect(await second).toEqual({ workerId: 2 });
  });

  it('leaves an event that a condition passed over to a later wait', async () => {
    const { emitter, events } = setup();
    emitter.emit('worker:ready', { workerId: 1 });
    emitter.emit('worker:ready', { workerId: 2 });
    expect(await events.next('worker:ready', ({ workerId }) => workerId === 2)).toEqual({ workerId: 2 });
    expect(await events.next('worker:ready')).toEqual({ workerId: 1 });
  });

  it('fails after the timeout, with what came instead', async () => {
    const { emitter, events, clock } = setup();
    const waiting = events.next('worker:ready');
    const failed = expect(waiting).rejects.toThrow(
      'No "worker:ready" within 1000 ms. Emitted so far:\n  worker:crashed {"workerId":7}',
    );
    emitter.emit('worker:crashed', { workerId: 7 });
    await clock.advance(1_000);
    await failed;
    const again = expect(events.next('worker:ready')).rejects.toThrow('worker:crashed');
    await clock.advance(1_000);
    await again;
  });

  it('says so when nothing came at all', async () => {
    const { events, clock } = setup();
    const failed = expect(events.next('worker:ready')).rejects.toThrow('Emitted so far:\n  nothing');
    await clock.advance(1_000);
    await failed;
  });

  it('rejects with what a condition throws', async () => {
    const { emitter, events, clock } = setup();
    const failed = expect(
      events.next('worker:ready', () => {
        throw new Error('bad condition');
      }),
    ).rejects.toThrow('bad condition');
    emitter.emit('worker:ready', { workerId: 1 });
    await failed;
    expect(clock.pendingTimers).toBe(0);
  });

  it('counts and keeps every event', () => {
    const { emitter, events } = setup();
    emitter.emit('worker:ready', { workerId: 1 });
    emitter.emit('worker:ready', { workerId: 2 });
    expect(events.count('worker:ready')).toBe(2);
    expect(events.count('worker:crashed')).toBe(0);
    expect(events.events).toEqual([
      { name: 'worker:ready', payload: { workerId: 1 } },
      { name: 'worker:ready', payload: { workerId: 2 } },
    ]);
  });

  it('leaves no timer behind once the event came, nor after it is disposed', async () => {
    const { emitter, events, clock } = setup();
    const waiting = events.next('worker:ready');
    expect(clock.pendingTimers).toBe(1);
    emitter.emit('worker:ready', { workerId: 1 });
    await waiting;
    expect(clock.pendingTimers).toBe(0);
    void events.next('worker:crashed');
    events[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
    expect(emitter.listenerCount('worker:crashed')).toBe(0);
  });
});
