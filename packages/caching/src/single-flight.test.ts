import { describe, expect, it, vi } from 'vitest';
import { Flight, Flights } from './single-flight.ts';

function setup(): { flight: Flight<string>; abandoned: ReturnType<typeof vi.fn<(reason: unknown) => void>> } {
  const abandoned = vi.fn<(reason: unknown) => void>();
  return { flight: new Flight<string>('key', 0, abandoned), abandoned };
}

describe('Flight', () => {
  it('gives everyone who joined the same outcome', async () => {
    const { flight } = setup();
    const waiters = [flight.join(undefined), flight.join(new AbortController().signal)];
    expect(flight.resolve('value')).toBe(true);
    expect(await Promise.all(waiters)).toEqual(['value', 'value']);
  });

  it('gives everyone who joined the same failure', async () => {
    const { flight } = setup();
    const waiters = [flight.join(undefined), flight.join(new AbortController().signal)];
    const error = new Error('down');
    flight.reject(error);
    for (const waiter of waiters) await expect(waiter).rejects.toBe(error);
  });

  it('lets one leave with the reason of its own signal', async () => {
    const { flight, abandoned } = setup();
    const leaver = new AbortController();
    const left = flight.join(leaver.signal);
    const stayed = flight.join(undefined);
    leaver.abort('not interested');
    await expect(left).rejects.toBe('not interested');
    expect(flight.signal.aborted).toBe(false);
    expect(abandoned).not.toHaveBeenCalled();
    flight.resolve('value');
    expect(await stayed).toBe('value');
  });

  it('aborts its signal when the last one leaves, in the same turn', async () => {
    const { flight, abandoned } = setup();
    const first = new AbortController();
    const last = new AbortController();
    const waiters = [flight.join(first.signal), flight.join(last.signal)];
    first.abort('one');
    expect(flight.signal.aborted).toBe(false);
    last.abort('two');
    expect(flight.signal.reason).toBe('two');
    expect(abandoned).toHaveBeenCalledExactlyOnceWith('two');
    expect(flight.resolve('late')).toBe(false);
    await expect(waiters[0]).rejects.toBe('one');
    await expect(waiters[1]).rejects.toBe('two');
  });

  it('shows a signal that is aborted to a loader that asks for it late', async () => {
    const { flight } = setup();
    const leaver = new AbortController();
    const left = flight.join(leaver.signal);
    leaver.abort('gone');
    await expect(left).rejects.toBe('gone');
    expect(flight.signal.reason).toBe('gone');
  });

  it('goes on without anybody while it is held', async () => {
    const { flight } = setup();
    flight.hold();
    flight.hold();
    const leaver = new AbortController();
    const left = flight.join(leaver.signal);
    leaver.abort('bye');
    await expect(left).rejects.toBe('bye');
    expect(flight.signal.aborted).toBe(false);
    expect(flight.resolve('value')).toBe(true);
  });

  it('keeps its outcome when a waiter leaves after it', async () => {
    const { flight, abandoned } = setup();
    const leaver = new AbortController();
    const waiter = flight.join(leaver.signal);
    flight.resolve('value');
    expect(await waiter).toBe('value');
    leaver.abort('late');
    expect(abandoned).not.toHaveBeenCalled();
    expect(flight.signal.aborted).toBe(false);
  });
});

describe('Flights', () => {
  it('lets the newest flight of a key be found, and counts the one it replaced as cut off', () => {
    const flights = new Flights<Flight<string>>();
    const { flight: older } = setup();
    const { flight: newer } = setup();
    flights.add(older);
    flights.add(newer);
    expect(flights.get('key')).toBe(newer);
    expect(flights.isAttached(older)).toBe(false);
    flights.remove(older);
    expect(flights.get('key')).toBe(newer);
  });

  it('cuts off by key and by condition', () => {
    const flights = new Flights<Flight<string>>();
    const { flight } = setup();
    flights.add(flight);
    expect(flights.cutOffWhere((other) => other.key === 'other')).toBe(0);
    expect(flights.cutOffWhere((other) => other.key === 'key')).toBe(1);
    expect(flights.cutOff('key')).toBe(false);
    expect(flights.get('key')).toBeUndefined();
  });
});
