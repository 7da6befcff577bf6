import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createEmitter, type Emitter } from './emitter.ts';
import { type Logger, silentLogger } from './logger.ts';

interface Events {
  readonly 'run:started': { readonly runId: number };
  readonly 'run:failed': { readonly runId: number };
}

function setup(): { emitter: Emitter<Events>; logged: unknown[][] } {
  const logged: unknown[][] = [];
  const logger: Logger = { ...silentLogger, error: (...entry: unknown[]) => void logged.push(entry) };
  return { emitter: createEmitter<Events>({ logger }), logged };
}

describe('createEmitter', () => {
  it('calls the listeners of that name, in the order they subscribed, then those of every name', () => {
    const { emitter } = setup();
    const calls: string[] = [];
    emitter.onAny((name, { runId }) => calls.push(`any ${name} ${runId}`));
    emitter.on('run:started', ({ runId }) => calls.push(`first ${runId}`));
    emitter.on('run:started', ({ runId }) => calls.push(`second ${runId}`));
    emitter.on('run:failed', () => calls.push('failed'));
    emitter.emit('run:started', { runId: 7 });
    expect(calls).toEqual(['first 7', 'second 7', 'any run:started 7']);
  });

  it('logs what a listener throws, and reaches the others', () => {
    const { emitter, logged } = setup();
    const failure = new Error('broken listener');
    const after = vi.fn<() => void>();
    emitter.on('run:started', () => {
      throw failure;
    });
    emitter.on('run:started', after);
    emitter.onAny(() => {
      throw failure;
    });
    expect(() => emitter.emit('run:started', { runId: 1 })).not.toThrow();
    expect(after).toHaveBeenCalledOnce();
    expect(logged).toEqual([
      [{ err: failure, event: 'run:started' }, 'A listener of "run:started" failed.'],
      [{ err: failure, event: 'run:started' }, 'A listener of "run:started" failed.'],
    ]);
  });

  it('logs what an async listener rejects with', async () => {
    const { emitter, logged } = setup();
    emitter.on('run:started', () => Promise.reject(new Error('later')));
    emitter.emit('run:started', { runId: 1 });
    await vi.waitFor(() => expect(logged).toHaveLength(1));
  });

  it('survives a logger that throws', async () => {
    const emitter = createEmitter<Events>({
      logger: {
        ...silentLogger,
        error: () => {
          throw new Error('disk full');
        },
      },
    });
    const after = vi.fn<() => void>();
    const unhandled = vi.fn<(reason: unknown) => void>();
    process.once('unhandledRejection', unhandled);
    try {
      emitter.on('run:started', () => Promise.reject(new Error('later')));
      emitter.on('run:started', () => {
        throw new Error('now');
      });
      emitter.on('run:started', after);
      expect(() => emitter.emit('run:started', { runId: 1 })).not.toThrow();
      await new Promise((resolve) => void setImmediate(resolve));
      expect(after).toHaveBeenCalledOnce();
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });

  it('unsubscribes that one subscription, once', () => {
    const { emitter } = setup();
    const calls: string[] = [];
    const twice = (): unknown => calls.push('twice');
    emitter.on('run:started', twice);
    emitter.on('run:started', () => calls.push('between'));
    const stop = emitter.on('run:started', twice);
    stop();
    stop();
    emitter.emit('run:started', { runId: 1 });
    expect(calls).toEqual(['twice', 'between']);
  });

  it('counts a change of listeners during an emit from the next emit on', () => {
    const { emitter } = setup();
    const calls: string[] = [];
    emitter.on('run:started', () => {
      calls.push('first');
      stopSecond();
      emitter.on('run:started', () => calls.push('added'));
    });
    const stopSecond = emitter.on('run:started', () => calls.push('second'));
    emitter.emit('run:started', { runId: 1 });
    expect(calls).toEqual(['first', 'second']);
    emitter.emit('run:started', { runId: 2 });
    expect(calls).toEqual(['first', 'second', 'first', 'added']);
  });

  it('lets a listener emit in turn', () => {
    const { emitter } = setup();
    const calls: number[] = [];
    emitter.on('run:started', ({ runId }) => emitter.emit('run:failed', { runId }));
    emitter.on('run:failed', ({ runId }) => calls.push(runId));
    emitter.emit('run:started', { runId: 3 });
    expect(calls).toEqual([3]);
  });

  it('says how many listeners an event would reach', () => {
    const { emitter } = setup();
    expect(emitter.listenerCount('run:started')).toBe(0);
    const stop = emitter.on('run:started', () => undefined);
    const stopAny = emitter.onAny(() => undefined);
    expect(emitter.listenerCount('run:started')).toBe(2);
    expect(emitter.listenerCount('run:failed')).toBe(1);
    stop();
    stopAny();
    expect(emitter.listenerCount('run:started')).toBe(0);
  });

  it('reaches exactly those who are subscribed, after any mix of subscribing and unsubscribing', () => {
    const step = fc.record({ add: fc.boolean(), at: fc.nat(20), throws: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { emitter } = setup();
        const expected: { readonly id: number; readonly stop: () => void }[] = [];
        const called: number[] = [];
        for (const [id, { add, at, throws }] of steps.entries()) {
          if (add) {
            const stop = emitter.on('run:started', () => {
              called.push(id);
              if (throws) throw new Error('a bad one');
            });
            expected.push({ id, stop });
          } else {
            expected.splice(at, 1)[0]?.stop();
          }
        }
        emitter.emit('run:started', { runId: 1 });
        expect(called).toEqual(expected.map(({ id }) => id));
        for (const { stop } of expected) stop();
        expect(emitter.listenerCount('run:started')).toBe(0);
      }),
    );
  });
});
