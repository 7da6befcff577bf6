import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createManualClock } from '@pawl/core/testing';
import { createShutdown } from './coordinator.ts';
import { installSignalHandlers, type SignalHandlerOptions } from './signals.ts';

class FakeProcess extends EventEmitter {
  readonly pid = 4242;
  readonly exits: number[] = [];
  readonly printed: string[] = [];
  readonly stderr = { write: (text: string) => this.printed.push(text) };

  exit(code: number): void {
    this.exits.push(code);
  }
}

function setup(options: SignalHandlerOptions = {}) {
  const clock = createManualClock();
  const host = new FakeProcess();
  const shutdown = createShutdown({ clock, activeResources: () => [] });
  const install = (target = shutdown): (() => void) =>
    installSignalHandlers(target, { process: host, clock, watchdog: false, ...options });
  return { clock, host, shutdown, install };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('installSignalHandlers', () => {
  it('begins the shutdown with the signal and exits with 0 after a clean one', async () => {
    const { clock, host, shutdown, install } = setup();
    install();
    let ran = 0;
    shutdown.register('a', () => (ran += 1));
    host.emit('SIGTERM');
    expect(shutdown.ready).toBe(false);
    await clock.settle();
    expect([shutdown.report?.reason, ran, host.exits]).toEqual(['SIGTERM', 1, [0]]);
  });

  it('exits with 1 when a hook failed', async () => {
    const { clock, host, shutdown, install } = setup();
    install();
    shutdown.register('a', () => Promise.reject(new Error('down')));
    host.emit('SIGINT');
    await clock.settle();
    expect(host.exits).toEqual([1]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('exits as a shell shows %s when told to', async (signal, code) => {
    const { clock, host, install } = setup({ exitCode: 'signal' });
    install();
    host.emit(signal);
    await clock.settle();
    expect(host.exits).toEqual([code]);
  });

  it('forces at the second signal, and exits at once at the third', async () => {
    const { clock, host, shutdown, install } = setup();
    install();
    shutdown.register('hangs', never);
    host.emit('SIGTERM');
    await clock.advance(1_000);
    host.emit('SIGTERM');
    expect(shutdown.state).toBe('forced');
    await clock.advance(200);
    expect(host.exits).toEqual([]);
    host.emit('SIGINT');
    expect(host.exits).toEqual([1]);
    await clock.advance(300);
    expect(host.exits).toEqual([1, 1]);
  });

  it('exits with 1 after a forced shutdown, though every hook succeeded', async () => {
    const { clock, host, shutdown, install } = setup();
    install();
    shutdown.register(
      'a',
      ({ signal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
    );
    host.emit('SIGTERM');
    await clock.advance(1_000);
    host.emit('SIGINT');
    await clock.settle();
    expect([shutdown.report?.clean, host.exits]).toEqual([true, [1]]);
  });

  it('counts a signal that is delivered twice within the debounce once', async () => {
    const { clock, host, shutdown, install } = setup();
    install();
    shutdown.register('hangs', never);
    host.emit('SIGINT');
    await clock.advance(99);
    host.emit('SIGINT');
    await clock.advance(99);
    host.emit('SIGINT');
    expect(shutdown.state).toBe('graceful');
    await clock.advance(100);
    host.emit('SIGINT');
    expect(shutdown.state).toBe('forced');
  });

  it('prints an uncaught error, shuts down once, and exits with 1', async () => {
    const { clock, host, shutdown, install } = setup();
    install();
    const bug = new Error('a bug');
    let ran = 0;
    shutdown.register('a', () => (ran += 1));
    host.emit('uncaughtException', bug, 'uncaughtException');
    host.emit('unhandledRejection', 'another', Promise.resolve());
    await clock.settle();
    expect([shutdown.report?.reason, shutdown.report?.clean, ran, host.exits]).toEqual([bug, true, 1, [1]]);
    expect(host.printed[0]).toContain('Error: a bug');
    expect(host.printed[1]).toBe("'another'\n");
  });

  it('leaves errors alone when told to, and listens to the signals it is told', () => {
    const { host, install } = setup({ onErrors: false, signals: ['SIGUSR2'] });
    install();
    expect(host.eventNames()).toEqual(['SIGUSR2']);
  });

  it('waits for every coordinator of the process before it exits', async () => {
    const { clock, host, shutdown, install } = setup();
    const other = createShutdown({ clock, activeResources: () => [] });
    install();
    install(other);
    other.register('slow', () => new Promise<void>((resolve) => void clock.setTimer(500, resolve)));
    shutdown.register('fails', () => Promise.reject(new Error('down')));
    host.emit('SIGTERM');
    await clock.advance(499);
    expect([shutdown.state, host.exits]).toEqual(['stopped', []]);
    await clock.advance(1);
    expect(host.exits).toEqual([1]);
  });

  it('takes every listener away again', () => {
    const { host, install } = setup();
    const uninstall = install();
    expect(host.eventNames()).toEqual([
      'SIGTERM',
      'SIGINT',
      'SIGHUP',
      'uncaughtException',
      'unhandledRejection',
    ]);
    uninstall();
    expect(host.eventNames()).toEqual([]);
  });

  it('refuses wrong options', () => {
    const { shutdown } = setup();
    const install = (options: object): (() => void) => installSignalHandlers(shutdown, options);
    expect(() => install({ signals: ['SIGFOO'] })).toThrow('`signals[0]`');
    expect(() => install({ exitCode: 143 })).toThrow('`exitCode`');
    expect(() => install({ debounce: 1 })).toThrow('did you mean `debounceMs`?');
  });
});
