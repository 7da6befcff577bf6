import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  acceptWorker,
  type Call,
  type Connection,
  createConnection,
  type Hello,
  RemoteError,
  stdioTransport,
} from '@pawl/ipc';
import { describe, expect, it, onTestFinished } from 'vitest';

const ENTRY = fileURLToPath(new URL('../dist/worker/entry.js', import.meta.url));
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

interface Started {
  readonly connection: Connection;
  readonly control: Connection;
  readonly hello: Hello;
  readonly pid: number;
  readonly exited: Promise<unknown[]>;
  /** Requests a run. Its chunks come to `chunks`. */
  readonly run: (task: string, input?: unknown, more?: Readonly<Record<string, unknown>>) => Run;
  /** Ends all that the host writes to, as its death would. */
  readonly hangUp: () => void;
}

interface Run extends Call {
  readonly chunks: unknown[];
}

async function start(options: { readonly runsAtOnce?: number } = {}): Promise<Started> {
  const child = spawn(process.execPath, [ENTRY], {
    stdio: ['pipe', 'inherit', 'inherit', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PAWL_CHANNEL: 'fd3',
      PAWL_CONTROL: 'fd4',
      PAWL_WORKER_FILE: fixture('sdk-tasks.mjs'),
    },
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const { stdin } = child;
  const [channel, pair] = [child.stdio[3], (child.stdio as readonly unknown[])[4]] as [Readable, Duplex];
  if (stdin === null) throw new TypeError('no stdin');
  const connection = createConnection(stdioTransport({ readable: channel, writable: stdin }));
  const control = createConnection(stdioTransport({ readable: pair, writable: pair }));
  const hello = await acceptWorker(connection, {
    workerId: 'worker-1',
    heartbeatMs: 5_000,
    maxMessageBytes: 67_108_864,
    ...options,
  });
  return {
    connection,
    control,
    hello,
    pid: child.pid ?? 0,
    exited,
    run(task, input, more = {}) {
      const chunks: unknown[] = [];
      const call = connection.call(
        'run',
        { task, input, runId: 'run-1', attempt: 1, ...more },
        { onNotification: (method, { seq, data }) => method === 'chunk' && chunks.push([seq, data]) },
      );
      // Whoever waits for it still sees the error.
      call.response.catch(() => undefined);
      const { id, response } = call;
      return { id, response, chunks, cancel: (reason, graceMs) => call.cancel(reason, graceMs) };
    },
    hangUp() {
      stdin.end();
      pair.end();
    },
  };
}

async function failure(promise: Promise<unknown>): Promise<RemoteError> {
  const error = await promise.then(
    (value) => new Error(`It gave ${JSON.stringify(value)}.`),
    (reason: unknown) => reason,
  );
  if (error instanceof RemoteError) return error;
  throw new Error('Expected a RemoteError.', { cause: error });
}

/** Waits until the side thread has seen the main thread spin. */
async function untilBusy(control: Connection): Promise<void> {
  await expect
    .poll(async () => ((await control.request('ping')) as { lagMs: number }).lagMs, { timeout: 10_000 })
    .toBeGreaterThan(20);
}

describe('the Node SDK', () => {
  it('says what it can do', async () => {
    const { hello, pid } = await start();
    expect(hello).toMatchObject({ pid, language: 'javascript' });
    expect([...hello.features].toSorted()).toEqual(
      ['cancel', 'concurrent', 'control', 'log', 'progress', 'queue', 'stream', 'validate'].toSorted(),
    );
  });

  describe('while a task spins', () => {
    it('answers pings from its side thread, and tells for how long it has been busy', async () => {
      const { control, pid, run } = await start();
      await run('echo', 1).response;
      const before = (await control.request('ping')) as { lagMs: number };
      expect(before).toMatchObject({ pid, runsActive: 0, runsDone: 1, runsFailed: 0 });
      expect(before.lagMs).toBeLessThan(20);
      const spinning = run('spin', 600);
      await untilBusy(control);
      const pong = await control.request('ping');
      expect(pong).toMatchObject({ pid, runsActive: 1, runsDone: 1, uptimeMs: expect.any(Number) });
      await expect(spinning.response).resolves.toBe(600);
    });

    it('gives back the runs that wait, exactly those it names', async () => {
      const { connection, control, run } = await start();
      const spinning = run('spin', 500);
      await untilBusy(control);
      const waiting = [1, 2, 3, 4].map((n) => run('echo', n));
      const ids = [spinning.id, ...waiting.filter((_, index) => index % 2 === 0).map(({ id }) => id)];
      await expect(control.request('withdraw', { ids })).resolves.toEqual({ withdrawn: ids.slice(1) });
      connection.withdrawn(ids.slice(1));
      await expect(spinning.response).resolves.toBe(500);
      await expect(waiting[1]?.response).resolves.toBe(2);
      await expect(waiting[3]?.response).resolves.toBe(4);
      const unknown: unknown[] = [];
      connection.on('protocol:unknown-response', (event) => unknown.push(event));
      // What was given back is not answered, and what has ended is not given back.
      await expect(control.request('withdraw', { ids })).resolves.toEqual({ withdrawn: [] });
      await expect(connection.request('ping')).resolves.toMatchObject({ runsActive: 0, runsDone: 3 });
      expect(unknown).toEqual([]);
    });

    it('tells where it is, and goes on', async () => {
      const { control, run } = await start();
      const spinning = run('spin', 500);
      await untilBusy(control);
      const stack = await control.request('stack');
      expect(stack).toMatch(/^ {4}at spin \(file:.*sdk-tasks\.mjs:\d+:\d+\)$/);
      await expect(spinning.response).resolves.toBe(500);
      await expect(run('echo', 1).response).resolves.toBe(1);
    });

    it('has no stack to tell outside of JavaScript, and is not stopped later for having been asked', async () => {
      const { control, run } = await start();
      const blocked = run('block', 1);
      await untilBusy(control);
      await expect(control.request('stack')).resolves.toBeNull();
      await expect(blocked.response).resolves.toBe(0);
      await expect(run('echo', 1).response).resolves.toBe(1);
    });

    it('is ended within a second of the end of its host', async () => {
      const { control, exited, hangUp, run } = await start();
      run('spin', 60_000);
      await untilBusy(control);
      const from = performance.now();
      hangUp();
      expect(await exited).toEqual([null, 'SIGKILL']);
      expect(performance.now() - from).toBeLessThan(1_500);
    });
  });

  describe('a queue', () => {
    it('begins runs in their order, as many at once as it was told', async () => {
      const { run } = await start({ runsAtOnce: 2 });
      const ended: string[] = [];
      const note = (name: string, call: Run): Promise<unknown> => call.response.then(() => ended.push(name));
      await Promise.all([
        note('slow', run('sleep', 150)),
        note('short', run('sleep', 50)),
        note('third', run('later', 1)),
        note('fourth', run('echo', 1)),
      ]);
      expect(ended).toEqual(['short', 'third', 'fourth', 'slow']);
    });

    it('answers a run at once that is cancelled before it began', async () => {
      const { run } = await start();
      const slow = run('sleep', 200);
      const waiting = run('sleep', 60_000);
      waiting.cancel('not needed');
      expect(await failure(waiting.response)).toMatchObject({ rpcCode: -32_001, message: 'not needed' });
      await expect(slow.response).resolves.toBe(200);
    });

    it('takes the time that a run waited off its budget', async () => {
      const { run } = await start();
      const slow = run('sleep', 100);
      const late = run('echo', 1, { budgetMs: 50 });
      expect(await failure(late.response)).toMatchObject({
        rpcCode: -32_002,
        message: "The run's budget of 50 ms ran out.",
      });
      await slow.response;
    });

    it('finishes what waits when it is told to shut down, and takes nothing new', async () => {
      const { connection, exited, run } = await start();
      const taken = [run('sleep', 50), run('echo', 2)];
      await connection.notify('shutdown', { graceMs: 5_000 });
      const refused = run('echo', 3);
      await expect(Promise.all(taken.map(({ response }) => response))).resolves.toEqual([50, 2]);
      expect(await failure(refused.response)).toMatchObject({ rpcCode: -32_006 });
      expect(await exited).toEqual([0, null]);
    });

    it('looks at its input between runs that take their time', async () => {
      const { run } = await start();
      const runs = Array.from({ length: 10 }, () => run('spin', 20));
      const last = runs.at(-1);
      await runs[0]?.response;
      last?.cancel('enough');
      expect(await failure(last?.response ?? Promise.resolve())).toMatchObject({ rpcCode: -32_001 });
      await Promise.all(runs.slice(0, -1).map(({ response }) => response));
    });

    it.each(['echo', 'later'])('answers all in order, however many are sent at once: %s', async (task) => {
      const { run } = await start();
      const ended: unknown[] = [];
      const runs = Array.from({ length: 5_000 }, (_, n) => run(task, n));
      await Promise.all(runs.map(async ({ response }) => ended.push(await response)));
      expect(ended).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
    });

    it('has its answers out when a later run ends the process', async () => {
      const { exited, run } = await start();
      const before = Array.from({ length: 20 }, (_, n) => run('echo', n));
      const fatal = run('exitAfter', { answers: 7 });
      const behind = run('echo', 'never');
      await expect(Promise.all(before.map(({ response }) => response))).resolves.toHaveLength(20);
      await expect(fatal.response).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
      await expect(behind.response).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
      expect(await exited).toEqual([7, null]);
    });
  });

  it('has the answer of a run out that kept its thread after it had returned, before the next one does', async () => {
    const { exited, run } = await start();
    // It is known as a task that returns at once.
    await Promise.all(Array.from({ length: 50 }, () => run('spinLater', 0).response));
    const long = run('spinLater', 50);
    const fatal = run('spinLater', 'die');
    await Promise.all([
      expect(long.response).resolves.toBe(50),
      expect(fatal.response).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' }),
    ]);
    expect(await exited).toEqual([null, 'SIGKILL']);
  });

  describe('a stream', () => {
    it.each(['count', 'countForEver'])('sends no more than there is credit for: %s', async (task) => {
      const { connection, run } = await start();
      const streamed = run(task, 4, { credit: 2 });
      await expect.poll(() => streamed.chunks.length).toBe(2);
      await connection.request('ping');
      expect(streamed.chunks).toEqual([
        [0, 0],
        [1, 1],
      ]);
      await connection.notify('credit', { id: streamed.id, n: 1 });
      await expect.poll(() => streamed.chunks.length).toBe(3);
      streamed.cancel('enough');
      expect(await failure(streamed.response)).toMatchObject({ rpcCode: -32_001 });
    });

    it('gives what the generator returns, all chunks before it', async () => {
      const { run } = await start();
      const streamed = run('count', 3, { credit: 100 });
      await expect(streamed.response).resolves.toBe('counted');
      expect(streamed.chunks).toEqual([
        [0, 0],
        [1, 1],
        [2, 2],
      ]);
    });

    it('leaves the generator by its `finally` when it is cancelled', async () => {
      const { run } = await start();
      const streamed = run('countForEver', null, { credit: 1 });
      await expect.poll(() => streamed.chunks.length).toBe(1);
      streamed.cancel('enough');
      await failure(streamed.response);
      await expect(run('cleanUps').response).resolves.toBe(1);
    });

    it('is dropped for a caller that takes none', async () => {
      const { run } = await start();
      const streamed = run('count', 3);
      await expect(streamed.response).resolves.toBe('counted');
      expect(streamed.chunks).toEqual([]);
    });

    it('keeps the order of chunks that wait, and refuses one that is no JSON in the task', async () => {
      const { connection, run } = await start();
      const streamed = run('emit', 3, { credit: 1 });
      await expect.poll(() => streamed.chunks.length).toBe(1);
      await connection.notify('credit', { id: streamed.id, n: 10 });
      await expect(streamed.response).resolves.toEqual([1, 2, 3]);
      expect(streamed.chunks.map((chunk) => (chunk as unknown[])[1])).toEqual([0, 1, 2, 'NOT_SERIALIZABLE']);
    });

    it('is not made of a list', async () => {
      const { run } = await start();
      await expect(run('list', null, { credit: 9 }).response).resolves.toEqual([1, 2, 3]);
    });
  });

  describe('a check of the input', () => {
    it('refuses a run that does not suit, with what is wrong and where', async () => {
      const { run } = await start();
      const error = await failure(run('checked', { n: 'x' }).response);
      expect(error).toMatchObject({
        rpcCode: -32_004,
        message: 'The input does not suit task `checked` at `n`: an integer is expected',
        fields: { issues: [{ path: 'n', message: 'an integer is expected' }] },
      });
      await expect(run('checked', { n: 1 }).response).resolves.toBe(1);
    });

    it('may be a Standard Schema, whose output the task gets', async () => {
      const { connection, run } = await start();
      await expect(run('coerced', '41').response).resolves.toBe(42);
      expect(await failure(run('coerced', 'x').response)).toMatchObject({ rpcCode: -32_004 });
      await expect(connection.request('validate', { task: 'coerced', input: 'x' })).resolves.toEqual({
        valid: false,
        issues: [{ path: 'items[3].id', message: 'digits are expected' }],
      });
    });

    it('tells of any task whether it is there', async () => {
      const { connection } = await start();
      const fine = { valid: true, issues: [] };
      await expect(connection.request('validate', { task: 'echo', input: 1 })).resolves.toEqual(fine);
      await expect(connection.request('validate', { task: 'checked' })).resolves.toEqual(fine);
      const none = failure(connection.request('validate', { task: 'none' }));
      expect(await none).toMatchObject({ rpcCode: -32_003 });
    });
  });
});
