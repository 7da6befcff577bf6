import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  acceptWorker,
  type Connection,
  createConnection,
  defineProtocol,
  introduce,
  memoryTransportPair,
  type TypedConnection,
  workerProtocol,
  type WorkerProtocol,
} from '@pawl/ipc';

interface Counter {
  worker: {
    methods: {
      count: {
        params: { readonly to: number };
        result: number;
        notifications: { progress: { readonly at: number }; log: { readonly message: string } };
      };
      reset: { params: { readonly to?: number } | undefined };
      size: { result: number };
    };
    notifications: { step: { readonly by: number }; wake: undefined };
  };
  host: {
    methods: { limit: { params: string; result: number | null } };
    notifications: { full: { readonly at: number } };
  };
}

const counter = defineProtocol<Counter>();

function setup() {
  const [near, far] = memoryTransportPair();
  let step = 1;
  const woken: unknown[] = [];
  const worker = counter.createWorker(far, {
    methods: {
      async count({ to }, { notify, signal }) {
        expectTypeOf(to).toBeNumber();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        for (let at = step; at <= to; at += step) await notify('progress', { at });
        // @ts-expect-error -- there is no such notification about a count
        await notify('progres', { at: 1 });
        // @ts-expect-error -- `at` is a number
        await notify('progress', { at: '1' });
        return to;
      },
      reset: (params) => {
        step = params?.to ?? 1;
      },
      size: () => step,
    },
    notifications: {
      step: ({ by }) => (step = by),
      wake: (params) => woken.push(params),
    },
  });
  const full: number[] = [];
  const host = counter.createHost(near, {
    methods: { limit: (name) => (name === 'none' ? null : name.length) },
    notifications: { full: ({ at }) => full.push(at) },
  });
  return { near, far, host, worker, full, woken };
}

describe('a connection with a contract', () => {
  it('types requests, their parameters, results and progress', async () => {
    const { host } = setup();
    const seen: unknown[] = [];
    const counted = host.request(
      'count',
      { to: 2 },
      {
        onNotification(method, params) {
          if (method === 'progress') {
            expectTypeOf(params).toExtend<{ readonly at: number; readonly id: number }>();
            seen.push(params.at);
          } else expectTypeOf(params.message).toBeString();
        },
        signal: new AbortController().signal,
        timeoutMs: 1_000,
      },
    );
    expectTypeOf(counted).toEqualTypeOf<Promise<number>>();
    expect(await counted).toBe(2);
    expect(seen.slice(0, 2)).toEqual([1, 2]);
    const call = host.call('count', { to: 1 });
    expectTypeOf(call.response).toEqualTypeOf<Promise<number>>();
    expect(await call.response).toBe(1);
  });

  it('asks for no parameters where there are none', async () => {
    const { host } = setup();
    expect(await host.request('size')).toBe(1);
    const reset = host.request('reset');
    expectTypeOf(reset).toEqualTypeOf<Promise<null | undefined>>();
    expect(await reset).toBeUndefined();
    await host.request('reset', { to: 5 });
    expect(await host.request('size', undefined, { timeoutMs: 100 })).toBe(5);
  });

  it('types notifications, and both directions', async () => {
    const { host, worker, full, woken } = setup();
    await host.notify('step', { by: 3 });
    await host.notify('wake');
    expect(await host.request('size')).toBe(3);
    await worker.notify('full', { at: 9 });
    const limit = worker.request('limit', 'abc');
    expectTypeOf(limit).toEqualTypeOf<Promise<number | null>>();
    expect(await limit).toBe(3);
    expect(full).toEqual([9]);
    expect(woken).toEqual([undefined]);
    const stop = host.onNotification('full', ({ at }) => {
      expectTypeOf(at).toBeNumber();
      return full.push(-at);
    });
    await worker.notify('full', { at: 1 });
    await worker.request('limit', 'none');
    stop();
    expect(full).toEqual([9, -1]);
  });

  it('refuses what is not in the contract, and handlers that are missing', () => {
    // Only its types are looked at.
    const wrong = async ({ host, worker, near }: ReturnType<typeof setup>): Promise<void> => {
      // @ts-expect-error -- no such method
      await host.request('cuont', { to: 1 });
      // @ts-expect-error -- `to` is a number
      await host.request('count', { to: '1' });
      // @ts-expect-error -- parameters are required
      await host.request('count');
      // @ts-expect-error -- it takes none
      await host.request('size', { to: 1 });
      // @ts-expect-error -- that is the host's own method
      await host.request('limit', 'x');
      // @ts-expect-error -- the worker has it
      await worker.request('count', { to: 1 });
      // @ts-expect-error -- no such notification
      await host.notify('full', { at: 1 });
      // @ts-expect-error -- `by` is missing
      await host.notify('step', {});
      // @ts-expect-error -- the worker sends no `step`
      host.onNotification('step', () => undefined);
      // @ts-expect-error -- the method `limit` is missing
      counter.createHost(near, { methods: {} });
      // @ts-expect-error -- and so are all of them
      counter.createHost(near);
      // @ts-expect-error -- the result is a number or null
      counter.createHost(near, { methods: { limit: () => 'many' } });
      // @ts-expect-error -- no such method is in the contract
      counter.createHost(near, { methods: { limit: () => 1, lmit: () => 1 } });
    };
    expect(wrong).toBeTypeOf('function');
  });

  it('refuses a contract with a misspelt key', () => {
    // @ts-expect-error -- `wroker`
    defineProtocol<{ wroker: object }>();
    // @ts-expect-error -- `method`
    defineProtocol<{ worker: { method: object } }>();
    // @ts-expect-error -- `parms`
    defineProtocol<{ worker: { methods: { add: { parms: number } } } }>();
    // @ts-expect-error -- parameters about a request are an object, to which its id is added
    defineProtocol<{ worker: { methods: { add: { notifications: { at: number } } } } }>();
    expect(
      defineProtocol<{ worker: { methods: { add: { params: [number, number]; result: number } } } }>(),
    ).toBe(counter);
  });

  it('is the very connection, and goes where a connection goes', async () => {
    const [near, far] = memoryTransportPair();
    const connection = createConnection(near);
    const host = workerProtocol.asHost(connection);
    expect(host).toBe(connection);
    const plain: Connection = host;
    expect(plain.openRequests).toBe(0);
    await workerProtocol.asWorker(createConnection(far)).close();
  });

  it('needs no options where its side takes nothing', async () => {
    const [near, far] = memoryTransportPair();
    const adder = defineProtocol<{
      worker: { methods: { add: { params: readonly [number, number]; result: number } } };
    }>();
    adder.createWorker(far, { methods: { add: ([a, b]) => a + b } });
    const host = adder.createHost(near);
    expect(await host.request('add', [1, 2])).toBe(3);
    await host.close();
  });
});

describe('workerProtocol', () => {
  it('types both sides of the worker protocol', async () => {
    const [near, far] = memoryTransportPair();
    const shutdowns: number[] = [];
    const worker = workerProtocol.createWorker(far, {
      methods: {
        async run({ task, input, attempt = 1 }, { notify }) {
          await notify('progress', { value: 0.5 });
          await notify('chunk', { seq: 0, data: input });
          await notify('log', { level: 'info', message: task });
          return { task, attempt };
        },
        validate: ({ task }) => ({ valid: task === 'echo', issues: [] }),
        ping: () => ({ pid: 7, lagMs: 0 }),
      },
      notifications: { shutdown: ({ graceMs }) => shutdowns.push(graceMs) },
    });
    const host = workerProtocol.createHost(near);
    expectTypeOf(host).toEqualTypeOf<TypedConnection<WorkerProtocol['host'], WorkerProtocol['worker']>>();
    const accepted = acceptWorker(host, { workerId: 'w', heartbeatMs: 5_000, maxMessageBytes: 1_000_000 });
    await introduce(worker, {
      protocol: { min: 1, max: 1 },
      name: 'typed',
      language: 'javascript',
      version: '1.0.0',
      pid: 7,
      tasks: ['echo'],
      features: ['progress', 'stream', 'log', 'validate'],
    });
    expect((await accepted).tasks).toEqual(['echo']);
    const about: string[] = [];
    const result = await host.request(
      'run',
      { task: 'echo', input: 1 },
      {
        onNotification(method, params) {
          if (method === 'chunk') expectTypeOf(params.seq).toBeNumber();
          about.push(method);
        },
      },
    );
    expect(result).toEqual({ task: 'echo', attempt: 1 });
    expect(about).toEqual(['progress', 'chunk', 'log']);
    const { valid } = await host.request('validate', { task: 'echo' });
    expectTypeOf(valid).toBeBoolean();
    expect(valid).toBe(true);
    const { pid, lagMs } = await host.request('ping');
    expectTypeOf(lagMs).toEqualTypeOf<number | undefined>();
    expect([pid, lagMs]).toEqual([7, 0]);
    await host.notify('shutdown', { graceMs: 5 });
    await host.request('ping');
    expect(shutdowns).toEqual([5]);
    await expect(host.request('withdraw', { ids: [1] })).rejects.toMatchObject({ rpcCode: -32_601 });
    const stack = host.request('stack');
    expectTypeOf(stack).toEqualTypeOf<Promise<string | null>>();
    await expect(stack).rejects.toMatchObject({ rpcCode: -32_601 });
    // @ts-expect-error -- every connection handles `cancel` by itself
    worker.onNotification('cancel', () => undefined);
  });
});
