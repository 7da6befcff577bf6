import { describe, expect, it } from 'vitest';
import { createDeferred, type Logger, silentLogger } from '@pawl/core';
import { createEventMonitor, createManualClock } from '@pawl/core/testing';
import { watch } from '../../test/settle.ts';
import { createShutdown } from './coordinator.ts';
import type { HookContext, RegisterOptions } from './hook-registry.ts';
import type { ShutdownOptions } from './shutdown-options.ts';

function setup(options: ShutdownOptions = {}) {
  const clock = createManualClock();
  const shutdown = createShutdown({ clock, activeResources: () => ['Timeout'], ...options });
  const events = createEventMonitor(shutdown);
  const ran: string[] = [];
  /** Registers a hook that notes its name, takes `ms`, and ends early when told to hurry unless it hangs. */
  const add = (
    name: string,
    hook: RegisterOptions & {
      readonly takesMs?: number;
      readonly fails?: unknown;
      readonly deaf?: boolean;
    } = {},
  ): (() => void) => {
    const { takesMs = 0, fails, deaf = false, ...registration } = hook;
    return shutdown.register(
      name,
      async ({ signal }) => {
        ran.push(name);
        const done = createDeferred();
        if (takesMs > 0) clock.setTimer(takesMs, done.resolve);
        else done.resolve();
        if (!deaf) signal.addEventListener('abort', () => done.resolve());
        if (!deaf && signal.aborted) done.resolve();
        await done.promise;
        if (fails !== undefined) throw fails as Error;
      },
      registration,
    );
  };
  return { clock, shutdown, events, ran, add };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('a shutdown: order', () => {
  it('runs phases in order, and inside one the hook registered last first', async () => {
    const { shutdown, ran, add } = setup();
    add('log', { phase: 'flush' });
    add('db');
    add('cache');
    add('http', { phase: 'drain' });
    add('pool');
    const report = await shutdown.begin('SIGTERM');
    expect(ran).toEqual(['http', 'pool', 'cache', 'db', 'log']);
    expect(report).toMatchObject({ clean: true, reason: 'SIGTERM', urgency: 'graceful', pending: [] });
    expect(report.hooks.map(({ name, outcome }) => [name, outcome])).toEqual(
      ran.map((name) => [name, 'succeeded']),
    );
  });

  it('runs a hook after those it names', async () => {
    const { shutdown, ran, add } = setup();
    add('a');
    add('b');
    add('c', { after: 'a' });
    add('d', { after: ['b', 'c'] });
    await shutdown.begin();
    expect(ran).toEqual(['b', 'a', 'c', 'd']);
  });

  it('runs one hook at a time', async () => {
    const { clock, shutdown, ran, add } = setup();
    add('second', { takesMs: 50 });
    add('first', { takesMs: 100 });
    const outcome = watch(shutdown.begin());
    await clock.advance(99);
    expect(ran).toEqual(['first']);
    await clock.advance(51);
    expect(outcome.now.value?.hooks).toMatchObject([
      { name: 'first', durationMs: 100 },
      { name: 'second', durationMs: 50 },
    ]);
  });

  it('prints its plan without doing anything', () => {
    const { shutdown, ran, add } = setup();
    add('log', { phase: 'flush' });
    add('db');
    add('http', { phase: 'drain' });
    add('migrations', { after: 'db' });
    expect(String(shutdown.plan())).toBe(
      [
        'graceful 30000 ms, then urgent 10000 ms, then forced 500 ms',
        'drain:',
        '  http',
        '  (tracked work)',
        'close:',
        '  db',
        '  migrations (after db)',
        'flush:',
        '  log',
      ].join('\n'),
    );
    expect(shutdown.plan().hooks.map(({ name }) => name)).toEqual(['http', 'db', 'migrations', 'log']);
    expect(ran).toEqual([]);
  });

  it('refuses a registration that could not be kept', () => {
    const { shutdown, add } = setup();
    add('db');
    add('log', { phase: 'flush' });
    expect(() => add('db')).toThrow('A shutdown hook named "db" is registered already.');
    expect(() => add('x', { after: 'nobody' })).toThrow(
      'Shutdown hook "x" can\'t run after "nobody": no hook of that name was registered before.',
    );
    expect(() => add('x', { after: 'x' })).toThrow('no hook of that name');
    expect(() => add('x', { after: 'log' })).toThrow('the later phase "flush"');
    expect(() => add('x', { phase: 'later' })).toThrow('`phase`');
    expect(() => add('x', { timeoutMs: -1 })).toThrow('`timeoutMs`');
    expect(() => add('x', { phaze: 'drain' } as object)).toThrow('did you mean `phase`?');
    expect(() => shutdown.register('x', 1 as never)).toThrow('`fn`');
  });

  it('takes a hook away again, and lets go whoever waited for it', async () => {
    const { shutdown, ran, add } = setup();
    const remove = add('a');
    add('b', { after: 'a' });
    remove();
    remove();
    add('a');
    await shutdown.begin();
    expect(ran.toSorted()).toEqual(['a', 'b']);
  });

  it('has phases of its own when given', async () => {
    const { shutdown, ran, add } = setup({ phases: ['one', 'two'] });
    add('b');
    add('a', { phase: 'one' });
    await shutdown.begin();
    expect(ran).toEqual(['a', 'b']);
    expect(() => createShutdown({ phases: [] })).toThrow('`phases`');
    expect(() => createShutdown({ phases: ['a', 'a'] })).toThrow('`phases`');
  });
});

describe('a shutdown: signs', () => {
  it('is not ready any more when `begin` returns, and live until the end', async () => {
    const { clock, shutdown, add } = setup();
    add('a', { takesMs: 100 });
    expect([shutdown.state, shutdown.ready, shutdown.live, shutdown.signal.aborted]).toEqual([
      'running',
      true,
      true,
      false,
    ]);
    expect(shutdown.report).toBeUndefined();
    const outcome = watch(shutdown.begin('why'));
    expect([shutdown.state, shutdown.ready, shutdown.live, shutdown.signal.aborted]).toEqual([
      'graceful',
      false,
      true,
      true,
    ]);
    expect(shutdown.signal.reason).toMatchObject({ code: 'SHUTDOWN', urgency: 'graceful', reason: 'why' });
    expect(shutdown.urgentSignal.aborted).toBe(false);
    expect(shutdown.report?.hooks).toMatchObject([{ name: 'a', outcome: 'running' }]);
    await clock.advance(100);
    expect(outcome.now.value).toBe(shutdown.report);
    expect([shutdown.state, shutdown.live]).toEqual(['stopped', false]);
  });

  it('joins a second begin to the first', async () => {
    const { shutdown, ran, add } = setup();
    add('a');
    const promises = Array.from({ length: 5 }, (_, index) => shutdown.begin(index));
    expect(new Set(promises).size).toBe(1);
    expect((await promises[4])?.reason).toBe(0);
    expect(ran).toEqual(['a']);
    expect(shutdown.begin()).toBe(promises[0]);
  });

  it('joins a begin by a listener or a hook', async () => {
    const { shutdown, ran, add } = setup();
    shutdown.on('shutdown:began', () => void shutdown.begin('again'));
    shutdown.signal.addEventListener('abort', () => void shutdown.begin('again'));
    shutdown.register('a', () => void shutdown.begin('again'));
    add('b');
    expect((await shutdown.begin('first')).reason).toBe('first');
    expect(ran).toEqual(['b']);
  });

  it('tells what happens', async () => {
    const { clock, shutdown, events, add } = setup({ gracefulMs: 100 });
    add('a', { takesMs: 1_000 });
    watch(shutdown.begin('why'));
    await clock.advance(5_000);
    expect(events.events).toMatchObject([
      { name: 'shutdown:began', payload: { reason: 'why' } },
      { name: 'hook:started', payload: { name: 'a', phase: 'close' } },
      { name: 'shutdown:escalated', payload: { urgency: 'urgent' } },
      { name: 'hook:ended', payload: { name: 'a', outcome: 'succeeded', durationMs: 100 } },
      { name: 'shutdown:ended', payload: { clean: true, durationMs: 100 } },
    ]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a shutdown: tracked work', () => {
  it('is waited for between the first phase and the second', async () => {
    const { clock, shutdown, ran, add } = setup();
    add('db');
    add('http', { phase: 'drain' });
    const work = createDeferred<string>();
    expect(shutdown.track(work.promise, 'run 1')).toBe(work.promise);
    watch(shutdown.begin());
    await clock.advance(1_000);
    expect(ran).toEqual(['http']);
    const late = createDeferred();
    void shutdown.track(late.promise);
    work.resolve('done');
    await clock.settle();
    expect(ran).toEqual(['http']);
    late.reject(new Error('failed, but ended'));
    await clock.settle();
    expect(ran).toEqual(['http', 'db']);
    await late.promise.catch(() => undefined);
  });

  it('is told when it becomes urgent, and named when it is left', async () => {
    const { clock, shutdown, ran, add } = setup();
    add('db');
    void shutdown.track(never(), 'run 7');
    const outcome = watch(shutdown.begin());
    await clock.advance(29_999);
    expect(shutdown.urgentSignal.aborted).toBe(false);
    await clock.advance(1);
    expect(shutdown.urgentSignal.reason).toMatchObject({ code: 'SHUTDOWN', urgency: 'urgent' });
    await clock.advance(5_000);
    expect(ran).toEqual(['db']);
    await clock.advance(5_500);
    expect(outcome.now.value).toMatchObject({
      clean: false,
      urgency: 'forced',
      pending: ['run 7'],
      durationMs: 40_500,
      activeResources: ['Timeout'],
    });
  });
});

describe('a shutdown: hooks that misbehave', () => {
  it('goes on when a hook throws, rejects, or throws no error, and reports it', async () => {
    const logged: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (_fields: object | string, message?: string) => void logged.push(message),
    };
    const { shutdown, ran, add } = setup({ logger });
    const error = new Error('disk full');
    add('last');
    add('rejects', { fails: error });
    shutdown.register('throws', () => {
      throw error;
    });
    add('odd', { fails: 'a string' });
    const report = await shutdown.begin();
    expect(ran).toEqual(['odd', 'rejects', 'last']);
    expect(report.clean).toBe(false);
    expect(report.hooks).toMatchObject([
      { name: 'odd', outcome: 'failed', error: 'a string' },
      { name: 'throws', outcome: 'failed', error },
      { name: 'rejects', outcome: 'failed', error },
      { name: 'last', outcome: 'succeeded' },
    ]);
    expect(logged).toContain('Shutdown hook "rejects" failed.');
  });

  it('gives up a hook whose own time is over, telling it so', async () => {
    const { clock, shutdown, ran, add } = setup();
    let context: HookContext | undefined;
    add('next');
    shutdown.register(
      'hangs',
      (given) => {
        context = given;
        return never();
      },
      { timeoutMs: 200 },
    );
    const outcome = watch(shutdown.begin());
    await clock.advance(199);
    expect([ran, context?.signal.aborted, context?.remainingMs()]).toEqual([[], false, 29_801]);
    await clock.advance(1);
    expect(ran).toEqual(['next']);
    expect(context?.signal.reason).toMatchObject({ code: 'TIMEOUT', timeoutMs: 200 });
    expect(outcome.now.value?.hooks[0]).toMatchObject({ outcome: 'timed-out', durationMs: 200 });
    expect(outcome.now.value?.clean).toBe(false);
  });

  it('gives the hooks that are left a fair share of the urgent time', async () => {
    const { clock, shutdown, ran, add } = setup();
    for (const name of ['c', 'b', 'a']) add(name, { takesMs: 1e9, deaf: true });
    const outcome = watch(shutdown.begin());
    await clock.advance(30_000);
    expect([ran, shutdown.state]).toEqual([['a'], 'urgent']);
    await clock.advance(3_334);
    expect(ran).toEqual(['a', 'b']);
    await clock.advance(3_333);
    expect(ran).toEqual(['a', 'b', 'c']);
    await clock.advance(3_333);
    expect(shutdown.state).toBe('forced');
    expect(outcome.now.status).toBe('pending');
    await clock.advance(500);
    expect(outcome.now.value?.durationMs).toBe(40_500);
    expect(outcome.now.value?.hooks.map((hook) => hook.outcome)).toEqual([
      'abandoned',
      'abandoned',
      'abandoned',
    ]);
  });

  it('lets hooks that hurry end cleanly when it becomes urgent', async () => {
    const { clock, shutdown, add } = setup();
    add('b', { takesMs: 60_000 });
    add('a', { takesMs: 60_000 });
    const outcome = watch(shutdown.begin());
    await clock.advance(30_000);
    expect(outcome.now.value).toMatchObject({ clean: true, urgency: 'urgent', durationMs: 30_000 });
  });

  it('begins all that is left when it is forced, and ends within the forced time', async () => {
    const { clock, shutdown, ran, add } = setup();
    add('quick');
    add('deaf', { takesMs: 1e9, deaf: true });
    add('slow', { takesMs: 60_000 });
    add('stuck', { takesMs: 1e9, deaf: true });
    const outcome = watch(shutdown.begin('SIGTERM'));
    await clock.advance(10);
    expect(ran).toEqual(['stuck']);
    expect(shutdown.force('SIGINT')).toBe(shutdown.begin());
    await clock.advance(499);
    expect(ran).toEqual(['stuck', 'slow', 'deaf', 'quick']);
    expect(outcome.now.status).toBe('pending');
    await clock.advance(1);
    expect(outcome.now.value).toMatchObject({ reason: 'SIGTERM', urgency: 'forced', clean: false });
    expect(outcome.now.value?.hooks.map((hook) => hook.outcome)).toEqual([
      'abandoned',
      'succeeded',
      'abandoned',
      'succeeded',
    ]);
  });

  it('is forced from the start', async () => {
    const { shutdown, ran, add } = setup();
    add('a');
    expect(await shutdown.force('now')).toMatchObject({ reason: 'now', urgency: 'forced', clean: true });
    expect(ran).toEqual(['a']);
  });

  it('runs what a hook registers meanwhile, and refuses it afterwards', async () => {
    const { shutdown, ran, add } = setup();
    shutdown.register('last', () => void add('even later', { phase: 'drain' }), { phase: 'flush' });
    await shutdown.begin();
    expect(ran).toEqual(['even later']);
    expect(() => add('too late')).toThrow(expect.objectContaining({ code: 'SHUTDOWN_OVER' }) as Error);
  });

  it('leaves no timer', async () => {
    const { clock, shutdown, add } = setup();
    add('a', { timeoutMs: 100 });
    await shutdown.begin();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a shutdown: options', () => {
  it.each([
    [{ gracefulMs: -1 }, '`gracefulMs`'],
    [{ urgentMs: Infinity }, '`urgentMs`'],
    [{ forcedMs: '1' }, '`forcedMs`'],
    [{ gracefullMs: 1 }, 'did you mean `gracefulMs`?'],
  ])('refuse %j', (options, message) => {
    expect(() => createShutdown(options as ShutdownOptions)).toThrow(message);
  });
});
