import { describe, expect, it, vi } from 'vitest';
import { createDeferred } from './deferred.ts';
import { hasCode } from './pawl-error.ts';
import { createLifecycle, type LifecycleHooks, type Service, startAll, stopAll } from './service.ts';
import { serviceContract } from './testing/service-contract.ts';

/** A service that writes down what its hooks are asked to do. */
function setup(hooks: Partial<LifecycleHooks> = {}): { service: Service; calls: string[] } {
  const calls: string[] = [];
  const service = createLifecycle({
    name: 'pool',
    start: (signal) => {
      calls.push('start');
      return hooks.start?.(signal);
    },
    stop: (options) => {
      calls.push(`stop ${options.graceMs}`);
      return hooks.stop?.(options);
    },
  });
  return { service, calls };
}

describe('createLifecycle', () => {
  describe('keeps the service contract', () => {
    for (const { title, run } of serviceContract(() => createLifecycle({ name: 'empty' }))) it(title, run);
  });

  describe('keeps it too when its hooks take time', () => {
    const later = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
    const create = (): Service => createLifecycle({ name: 'slow', start: later, stop: later });
    for (const { title, run } of serviceContract(create)) it(title, run);
  });

  it('walks through its states', async () => {
    const opened = createDeferred();
    const closed = createDeferred();
    const { service } = setup({ start: () => opened.promise, stop: () => closed.promise });
    expect(service.state).toBe('idle');
    const started = service.start();
    expect(service.state).toBe('starting');
    opened.resolve();
    await started;
    expect(service.state).toBe('running');
    const stopped = service.stop();
    expect(service.state).toBe('draining');
    closed.resolve();
    await stopped;
    expect(service.state).toBe('stopped');
  });

  it('runs each hook once, however often it is asked', async () => {
    const { service, calls } = setup();
    await Promise.all([service.start(), service.start()]);
    await Promise.all([service.stop({ graceMs: 9 }), service.stop({ graceMs: 1 })]);
    await service[Symbol.asyncDispose]();
    expect(calls).toEqual(['start', 'stop 9']);
  });

  it('gives the stop a grace of 5 s unless told another', async () => {
    const { service, calls } = setup();
    await service.start();
    await service.stop();
    expect(calls).toEqual(['start', 'stop 5000']);
  });

  it('takes Infinity for a grace', async () => {
    const { service, calls } = setup();
    await service.start();
    await service.stop({ graceMs: Infinity });
    expect(calls).toEqual(['start', 'stop Infinity']);
  });

  it('releases nothing when it was never started', async () => {
    const { service, calls } = setup();
    await service.stop();
    expect(calls).toEqual([]);
    await expect(service.start()).rejects.toMatchObject({
      code: 'SERVICE_STOPPED',
      message: "Can't start pool: it was stopped before.",
    });
  });

  it('passes the report of the stop on', async () => {
    const report = { drained: false, orphaned: ['run 41f9'] };
    const { service } = setup({ stop: () => report });
    await service.start();
    await expect(service.stop()).resolves.toEqual(report);
  });

  it('releases after a start that failed, and rejects every start with the failure', async () => {
    const failure = new Error('no port');
    const { service, calls } = setup({ start: () => Promise.reject(failure) });
    await expect(service.start()).rejects.toBe(failure);
    expect(service.state).toBe('stopped');
    expect(calls).toEqual(['start', 'stop 0']);
    await expect(service.start()).rejects.toBe(failure);
    await expect(service.stop()).resolves.toEqual({ drained: true, orphaned: [] });
    expect(calls).toEqual(['start', 'stop 0']);
  });

  it('rejects the start with its own failure when the release fails too, and the stop with that one', async () => {
    const { service } = setup({
      start: () => Promise.reject(new Error('no port')),
      stop: () => Promise.reject(new Error('no release')),
    });
    await expect(service.start()).rejects.toThrow('no port');
    await expect(service.stop()).rejects.toThrow('no release');
    expect(service.state).toBe('stopped');
  });

  it('takes hooks that throw instead of rejecting', async () => {
    const { service } = setup({
      start: () => {
        throw new Error('no port');
      },
    });
    await expect(service.start()).rejects.toThrow('no port');
    expect(service.state).toBe('stopped');
  });

  it('aborts a start that a stop interrupts, then releases once, with the grace of the stop', async () => {
    const reasons: unknown[] = [];
    const { service, calls } = setup({
      start: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason);
            reject(signal.reason);
          });
        }),
    });
    const started = service.start();
    const stopped = service.stop({ graceMs: 70 });
    await expect(started).rejects.toMatchObject({ code: 'SERVICE_STOPPED' });
    await expect(stopped).resolves.toEqual({ drained: true, orphaned: [] });
    expect(reasons).toHaveLength(1);
    expect(calls).toEqual(['start', 'stop 70']);
  });

  it('rejects a start that succeeds although a stop came meanwhile, and releases', async () => {
    const opened = createDeferred();
    const { service, calls } = setup({ start: () => opened.promise });
    const started = service.start();
    const stopped = service.stop();
    opened.resolve();
    await expect(started).rejects.toSatisfy((error) => hasCode(error, 'SERVICE_STOPPED'));
    await stopped;
    expect(service.state).toBe('stopped');
    expect(calls).toEqual(['start', 'stop 5000']);
  });

  it('does not abort the signal of a start that is over', async () => {
    let signal: AbortSignal | undefined;
    const { service } = setup({ start: (given) => void (signal = given) });
    await service.start();
    await service.stop();
    expect(signal?.aborted).toBe(false);
  });

  it('releases once when its own hooks and listeners ask it to stop', async () => {
    const { service, calls } = setup({
      start: (signal) => {
        signal.addEventListener('abort', () => void service.stop());
        void service.stop();
      },
      stop: () => void service.stop(),
    });
    await expect(service.start()).rejects.toMatchObject({ code: 'SERVICE_STOPPED' });
    await service.stop();
    expect(service.state).toBe('stopped');
    expect(calls).toEqual(['start', 'stop 5000']);
  });

  it('is stopped after a stop that failed, and keeps saying so', async () => {
    const { service, calls } = setup({ stop: () => Promise.reject(new Error('stuck')) });
    await service.start();
    await expect(service.stop()).rejects.toThrow('stuck');
    expect(service.state).toBe('stopped');
    await expect(service.stop()).rejects.toThrow('stuck');
    expect(calls).toEqual(['start', 'stop 5000']);
  });

  it('stops at the end of its block', async () => {
    const { service, calls } = setup();
    {
      await using pool = service;
      await pool.start();
    }
    expect(calls).toEqual(['start', 'stop 5000']);
  });
});

describe('startAll and stopAll', () => {
  const named = (name: string, calls: string[], hooks: Partial<LifecycleHooks> = {}): Service =>
    createLifecycle({
      name,
      start: (signal) => {
        calls.push(`start ${name}`);
        return hooks.start?.(signal);
      },
      stop: (options) => {
        calls.push(`stop ${name} ${options.graceMs}`);
        return hooks.stop?.(options);
      },
    });

  it('start in order and stop in reverse, each with the grace', async () => {
    const calls: string[] = [];
    const services = ['store', 'pool', 'server'].map((name) => named(name, calls));
    await startAll(services);
    expect(services.map((service) => service.state)).toEqual(['running', 'running', 'running']);
    await stopAll(services, { graceMs: 20 });
    expect(calls).toEqual([
      'start store',
      'start pool',
      'start server',
      'stop server 20',
      'stop pool 20',
      'stop store 20',
    ]);
  });

  it('stop in reverse what had started when one fails, and reject with its failure', async () => {
    const calls: string[] = [];
    const failure = new Error('no port');
    const services = [
      named('store', calls),
      named('pool', calls),
      named('server', calls, { start: () => Promise.reject(failure) }),
      named('late', calls),
    ];
    await expect(startAll(services)).rejects.toBe(failure);
    expect(calls).toEqual([
      'start store',
      'start pool',
      'start server',
      'stop server 0',
      'stop pool 0',
      'stop store 0',
    ]);
    expect(services.map((service) => service.state)).toEqual(['stopped', 'stopped', 'stopped', 'idle']);
  });

  it('add what fails on the way back', async () => {
    const calls: string[] = [];
    const [failure, second] = [new Error('no port'), new Error('stuck')];
    const error: unknown = await startAll([
      named('store', calls, { stop: () => Promise.reject(second) }),
      named('server', calls, { start: () => Promise.reject(failure) }),
    ]).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({ cause: failure, errors: [failure, second] });
  });

  it('stop each one although another fails, then name the failures', async () => {
    const calls: string[] = [];
    const services = [
      named('store', calls),
      named('pool', calls, { stop: () => Promise.reject(new Error('stuck')) }),
      named('server', calls),
    ];
    await startAll(services);
    const error: unknown = await stopAll(services).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      message: '1 of 3 services failed to stop.',
      errors: [new Error('stuck')],
    });
    expect(services.map((service) => service.state)).toEqual(['stopped', 'stopped', 'stopped']);
  });

  it('merge the reports', async () => {
    const calls: string[] = [];
    const left = (run: string): Partial<LifecycleHooks> => ({
      stop: () => ({ drained: false, orphaned: [run] }),
    });
    const services = [
      named('store', calls),
      named('pool', calls, left('run 1')),
      named('tasks', calls, left('run 2')),
    ];
    await startAll(services);
    await expect(stopAll(services)).resolves.toEqual({ drained: false, orphaned: ['run 2', 'run 1'] });
    await expect(stopAll([])).resolves.toEqual({ drained: true, orphaned: [] });
  });

  it('never let one stop begin before the one after it is over', async () => {
    const calls: string[] = [];
    const closed = createDeferred();
    const services = [named('store', calls), named('server', calls, { stop: () => closed.promise })];
    await startAll(services);
    const stopped = stopAll(services, { graceMs: 1 });
    await vi.waitFor(() => expect(calls).toContain('stop server 1'));
    expect(calls).not.toContain('stop store 1');
    closed.resolve();
    await stopped;
    expect(calls).toContain('stop store 1');
  });
});
