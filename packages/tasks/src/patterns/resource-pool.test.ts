import { getEventListeners } from 'node:events';
import { createDeferred, type Deferred, PawlError } from '@pawl/core';
import { createManualClock, serviceContract } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ResourcePoolOptions } from './resource-pool-options.ts';
import type { Lease } from './resource-pool-lease.ts';
import { createResourcePool } from './resource-pool.ts';

interface Connection {
  readonly id: number;
  broken: boolean;
  destroyed: boolean;
}

/** A pool of two connections that take no time to make, unless the options say otherwise. */
function setup(options: Partial<ResourcePoolOptions<Connection>> = {}) {
  const clock = createManualClock();
  const made: Connection[] = [];
  const pool = createResourcePool<Connection>({
    create: () => {
      const connection = { id: made.length + 1, broken: false, destroyed: false };
      made.push(connection);
      return connection;
    },
    destroy: (connection) => {
      connection.destroyed = true;
    },
    max: 2,
    clock,
    ...options,
  });
  onTestFinished(async () => {
    const stopped = pool.stop({ graceMs: 0 });
    await clock.advance(10_000);
    await stopped;
    expect(clock.pendingTimers).toBe(0);
  });
  /** Ids in the order in which acquires were answered. */
  const answers: string[] = [];
  const acquire = (
    name: string,
    how?: Parameters<typeof pool.acquire>[0],
  ): Promise<Lease<Connection> | undefined> =>
    pool.acquire(how).then(
      (lease) => {
        answers.push(`${name}:${lease.resource.id}`);
        return lease;
      },
      (error: unknown) => {
        answers.push(`${name}:${(error as PawlError).code ?? String(error)}`);
        return undefined;
      },
    );
  return { pool, clock, made, answers, acquire };
}

describe('a resource pool', () => {
  for (const check of serviceContract(() =>
    createResourcePool({ create: () => 1, destroy: () => undefined, min: 1 }),
  )) {
    it(check.title, check.run);
  }

  it('gives a resource to one holder at a time, and no more than there may be', async () => {
    const { pool, clock, made, answers, acquire } = setup();
    const first = await acquire('a');
    await acquire('b');
    void acquire('c');
    await clock.advance(60_000);
    expect(answers).toEqual(['a:1', 'b:2']);
    expect(pool.stats()).toMatchObject({ size: 2, leased: 2, waiting: 1, idle: 0 });
    first?.release();
    await clock.settle();
    expect(answers).toEqual(['a:1', 'b:2', 'c:1']);
    expect(made).toHaveLength(2);
  });

  it('serves who waits in the order of the calls, and nobody in between', async () => {
    const { clock, answers, acquire } = setup({ max: 1 });
    const first = await acquire('a');
    const waiting = [acquire('b'), acquire('c')];
    first?.release();
    void acquire('d');
    await clock.settle();
    expect(answers).toEqual(['a:1', 'b:1']);
    (await waiting[0])?.release();
    (await waiting[1])?.release();
    await clock.settle();
    expect(answers).toEqual(['a:1', 'b:1', 'c:1', 'd:1']);
  });

  it('takes the one that was used last, so that the others can grow old', async () => {
    const { answers, acquire } = setup();
    const [a, b] = [await acquire('a'), await acquire('b')];
    a?.release();
    b?.release();
    await acquire('c');
    expect(answers.at(-1)).toBe('c:2');
  });

  it('lets an acquire wait exactly as long as asked', async () => {
    const { pool, clock, answers, acquire } = setup({ max: 1, acquireTimeoutMs: 1_000 });
    await acquire('a');
    void acquire('b');
    void acquire('c', { timeoutMs: 500 });
    await clock.advance(499);
    expect(answers).toEqual(['a:1']);
    await clock.advance(1);
    expect(answers).toEqual(['a:1', 'c:ACQUIRE_TIMEOUT']);
    await clock.advance(499);
    expect(pool.stats()).toMatchObject({ waiting: 1, timedOut: 1 });
    await clock.advance(1);
    expect(answers.at(-1)).toBe('b:ACQUIRE_TIMEOUT');
    await expect(Promise.all([pool.acquire({ timeoutMs: 7 }), clock.advance(7)])).rejects.toThrow(
      'No resource became free within 7 ms; 1 are leased.',
    );
  });

  it('takes what is idle, also while another one is being made', async () => {
    const { clock, answers, acquire } = setup({
      create: async () => {
        if (answers.length > 0) await new Promise(() => undefined);
        return { id: 1, broken: false, destroyed: false };
      },
    });
    const first = await acquire('a');
    const second = acquire('b');
    first?.release();
    (await second)?.release();
    void acquire('c');
    await clock.settle();
    expect(answers).toEqual(['a:1', 'b:1', 'c:1']);
  });

  it('counts the making of a resource as waiting, and keeps what comes too late', async () => {
    const made = createDeferred<Connection>();
    const { pool, clock, answers, acquire } = setup({ create: () => made.promise });
    void acquire('a', { timeoutMs: 100 });
    await clock.advance(100);
    expect(answers).toEqual(['a:ACQUIRE_TIMEOUT']);
    made.resolve({ id: 7, broken: false, destroyed: false });
    await clock.settle();
    expect(pool.stats()).toMatchObject({ idle: 1, creating: 0 });
    await acquire('b');
    expect(answers.at(-1)).toBe('b:7');
  });

  it('refuses at once when too many wait', async () => {
    const { pool, acquire, answers } = setup({ max: 1, maxWaiting: 1 });
    await acquire('a');
    void acquire('b');
    await acquire('c');
    expect(answers).toEqual(['a:1', 'c:RESOURCE_POOL_FULL']);
    expect(pool.stats().waiting).toBe(1);
  });

  it('lets a caller leave the queue', async () => {
    const { pool, clock, answers, acquire } = setup({ max: 1 });
    const first = await acquire('a');
    const controller = new AbortController();
    void acquire('b', { signal: controller.signal });
    void acquire('c');
    controller.abort(new PawlError('enough', { code: 'ENOUGH' }));
    await clock.settle();
    first?.release();
    await clock.settle();
    expect(answers).toEqual(['a:1', 'b:ENOUGH', 'c:1']);
    await expect(pool.acquire({ signal: controller.signal })).rejects.toThrow('enough');
  });
});

describe('a resource', () => {
  it('that is dead is replaced before anybody gets it', async () => {
    const { made, answers, acquire, pool } = setup({ max: 1, validate: ({ broken }) => !broken });
    const first = await acquire('a');
    first!.resource.broken = true;
    first?.release();
    await acquire('b');
    expect(answers).toEqual(['a:1', 'b:2']);
    expect(made[0]?.destroyed).toBe(true);
    expect(pool.stats()).toMatchObject({ created: 2, destroyed: 1 });
  });

  it('whose check throws is replaced', async () => {
    const { answers, acquire } = setup({
      validate: () => {
        throw new Error('unreachable');
      },
    });
    (await acquire('a'))?.release();
    await acquire('b');
    expect(answers).toEqual(['a:1', 'b:2']);
  });

  it('is checked when it goes from hand to hand, and whoever waits longest gets what is fit first', async () => {
    const checks: Deferred<boolean>[] = [];
    const { clock, answers, acquire } = setup({
      max: 2,
      validate: () => {
        const check = createDeferred<boolean>();
        checks.push(check);
        return check.promise;
      },
    });
    const [a, b] = [await acquire('a'), await acquire('b')];
    void acquire('c');
    void acquire('d');
    a?.release();
    b?.release();
    expect(checks).toHaveLength(2);
    checks[1]?.resolve(true);
    await clock.settle();
    expect(answers.at(-1)).toBe('c:2');
    checks[0]?.resolve(true);
    await clock.settle();
    expect(answers.at(-1)).toBe('d:1');
  });

  it('is replaced after its uses', async () => {
    const { made, answers, acquire } = setup({ maxUses: 2 });
    for (const name of ['a', 'b', 'c']) (await acquire(name))?.release();
    expect(answers).toEqual(['a:1', 'b:1', 'c:2']);
    expect(made[0]?.destroyed).toBe(true);
  });

  it('that nobody needs is destroyed, down to the minimum', async () => {
    const { pool, clock, made, acquire } = setup({ max: 3, min: 1, idleTimeoutMs: 1_000 });
    const leases = [await acquire('a'), await acquire('b'), await acquire('c')];
    for (const lease of leases) {
      lease?.release();
      await clock.advance(100);
    }
    expect(pool.stats().idle).toBe(3);
    await clock.advance(699);
    expect(pool.stats().idle).toBe(3);
    await clock.advance(1);
    expect(pool.stats().idle).toBe(2);
    await clock.advance(100);
    expect(pool.stats().idle).toBe(1);
    await clock.advance(60_000);
    expect(made.map(({ destroyed }) => destroyed)).toEqual([true, true, false]);
  });

  it('that cannot be made fails the one who waits longest, and the next one is tried', async () => {
    let failures = 1;
    const { clock, answers, acquire } = setup({
      max: 1,
      create: async () => {
        failures -= 1;
        if (failures >= 0) throw new PawlError('refused', { code: 'REFUSED' });
        return { id: 9, broken: false, destroyed: false };
      },
    });
    void acquire('a');
    void acquire('b');
    await clock.settle();
    expect(answers).toEqual(['a:REFUSED', 'b:9']);
  });

  it('that is not destroyed in time gives its place away', async () => {
    const { clock, answers, acquire, pool } = setup({ max: 1, destroy: () => new Promise(() => undefined) });
    (await acquire('a'))?.discard();
    void acquire('b');
    await clock.advance(4_999);
    expect(answers).toEqual(['a:1']);
    expect(pool.stats()).toMatchObject({ destroying: 1, size: 1 });
    await clock.advance(1);
    expect(answers).toEqual(['a:1', 'b:2']);
  });

  it('that fails to be destroyed is gone all the same', async () => {
    const { clock, acquire, pool } = setup({
      destroy: () => {
        throw new Error('no');
      },
    });
    (await acquire('a'))?.discard();
    await clock.settle();
    expect(pool.stats()).toMatchObject({ size: 0, destroyed: 1 });
  });
});

describe('a lease', () => {
  it('cannot be released twice', async () => {
    const { acquire, clock, answers } = setup({ max: 1 });
    const lease = await acquire('a');
    lease?.release();
    expect(() => lease?.release()).toThrow(
      expect.objectContaining({ code: 'LEASE_RELEASED', leaseId: 'lease-1' }),
    );
    expect(() => lease?.discard()).toThrow('lease-1 was released already.');
    await acquire('b');
    void acquire('c');
    await clock.settle();
    expect(answers).toEqual(['a:1', 'b:1']);
  });

  it('ends with its block', async () => {
    const { pool } = setup({ max: 1 });
    {
      await using lease = await pool.acquire();
      expect(lease.resource.id).toBe(1);
      expect(pool.stats().leased).toBe(1);
    }
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
    {
      await using lease = await pool.acquire();
      lease.release();
    }
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });

  it('of a cancelled holder comes back, with a new resource because the old one may be in use', async () => {
    const { clock, made, acquire, answers } = setup({ max: 1 });
    const controller = new AbortController();
    const lease = await acquire('a', { signal: controller.signal });
    void acquire('b');
    controller.abort();
    await clock.settle();
    expect(answers).toEqual(['a:1', 'b:2']);
    expect(made[0]?.destroyed).toBe(true);
    expect(lease?.revoked).toBe(true);
    expect(() => lease?.release()).not.toThrow();
  });

  it('leaves no listener on its signal', async () => {
    const { pool } = setup();
    const { signal } = new AbortController();
    for (let turn = 0; turn < 50; turn += 1) await pool.use(() => undefined, { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('use', () => {
  it('gives back whatever comes of it', async () => {
    const { pool } = setup({ max: 1 });
    expect(await pool.use(({ id }) => id * 10)).toBe(10);
    await expect(pool.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(
      await pool.use(({ id }, lease) => {
        lease.discard();
        return id;
      }),
    ).toBe(1);
    expect(await pool.use(({ id }) => id)).toBe(2);
  });

  it('answers an abort at once', async () => {
    const { pool, clock, made } = setup({ max: 1 });
    const controller = new AbortController();
    const used = pool.use(() => new Promise(() => undefined), { signal: controller.signal });
    const failed = expect(used).rejects.toThrow('enough');
    await clock.settle();
    controller.abort(new Error('enough'));
    await failed;
    expect(made[0]?.destroyed).toBe(true);
  });
});

describe('a stop', () => {
  it('waits for leases, refuses who waits, and destroys everything', async () => {
    const { pool, clock, made, acquire, answers } = setup({ max: 1 });
    const lease = await acquire('a');
    void acquire('b');
    const stopped = pool.stop({ graceMs: 1_000 });
    await clock.advance(500);
    await acquire('c');
    expect(answers).toEqual(['a:1', 'b:RESOURCE_POOL_STOPPED', 'c:RESOURCE_POOL_STOPPED']);
    lease?.release();
    expect(await stopped).toEqual({ drained: true, orphaned: [] });
    expect(made.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  it('names the leases it takes away', async () => {
    const { pool, clock, made, acquire } = setup();
    const lease = await acquire('a');
    const stopped = pool.stop({ graceMs: 1_000 });
    await clock.advance(1_000);
    expect(await stopped).toEqual({ drained: false, orphaned: ['lease-1'] });
    expect(made[0]?.destroyed).toBe(true);
    expect(lease?.revoked).toBe(true);
  });

  it('destroys what is made meanwhile, and does not wait for ever for what is never made', async () => {
    const making = createDeferred<Connection>();
    let signal: AbortSignal | undefined;
    const { pool, clock, acquire } = setup({
      create: (context) => {
        signal = context.signal;
        return making.promise;
      },
    });
    void acquire('a');
    await clock.settle();
    const stopped = pool.stop();
    await clock.advance(5_000);
    expect(await stopped).toEqual({ drained: true, orphaned: [] });
    expect(signal?.aborted).toBe(true);
    const late = { id: 1, broken: false, destroyed: false };
    making.resolve(late);
    await clock.settle();
    expect(late.destroyed).toBe(true);
  });

  it('comes after a start that could not make its resources', async () => {
    const { pool } = setup({ min: 1, create: () => Promise.reject(new Error('refused')) });
    await expect(pool.start()).rejects.toThrow('refused');
    expect(pool.state).toBe('stopped');
  });
});

describe('a start', () => {
  it('makes the minimum, and keeps it', async () => {
    const { pool, clock, acquire } = setup({ min: 2, max: 3 });
    await pool.start();
    expect(pool.stats()).toMatchObject({ idle: 2, size: 2 });
    (await acquire('a'))?.discard();
    await clock.settle();
    expect(pool.stats()).toMatchObject({ idle: 2, size: 2, created: 3 });
  });
});

describe('options of a resource pool', () => {
  it.each([
    [{ max: 0 }, '`max`'],
    [{ min: 3 }, '`min` (3) to be at most `max` (2)'],
    [{ acquireTimeoutMs: -1 }, '`acquireTimeoutMs`'],
    [{ create: 5 }, '`create`'],
    [{ maxUse: 5 }, 'did you mean `maxUses`?'],
  ])('%j are refused', (options, message) => {
    expect(() => setup(options as never)).toThrow(message);
  });
});
