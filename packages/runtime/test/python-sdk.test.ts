import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createDeferred } from '@pawl/core';
import { acceptWorker, type Connection, createConnection, RemoteError, stdioTransport } from '@pawl/ipc';
import { describe, expect, it, onTestFinished } from 'vitest';

const SDK = fileURLToPath(new URL('../src/python/pawl_worker.py', import.meta.url));
const SDK_FOLDER = fileURLToPath(new URL('../src/python', import.meta.url));
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

// The real program: a version manager's shim costs 60 ms a start.
const python = spawnSync('python3', ['-I', '-S', '-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).stdout?.trim();
const title = python ? 'the Python SDK' : 'the Python SDK (skipped: there is no python3 here)';

interface StartOptions {
  /** @default 'python_worker.py' */
  readonly file?: string;
  /** How the SDK is started when the file is its argument; absent: the file is the program. */
  readonly sdk?: 'script' | 'import';
  readonly channel?: 'fd3' | 'stdout';
  /** What to start instead, with the worker's command as its arguments. */
  readonly through?: readonly string[];
}

interface StartedWorker {
  readonly child: ChildProcess;
  readonly input: Writable;
  readonly channel: Readable;
  readonly exit: Promise<{ code: number | null; signal: string | null }>;
  /** The channel's end: no process holds it any more. */
  readonly channelEnd: Promise<void>;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

function start(options: StartOptions = {}): StartedWorker {
  const { file = 'python_worker.py', sdk, channel: kind = 'fd3', through = [] } = options;
  const args = [python ?? '', '-W', 'error', '-u', ...sdkArgs(sdk), fixture(file)];
  const [program = '', ...rest] = [...through, ...args];
  const child = spawn(program, rest, {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: {
      PATH: '/usr/bin:/bin',
      PAWL_CHANNEL: kind,
      ...(sdk === 'script' ? {} : { PYTHONPATH: SDK_FOLDER }),
    },
  });
  const exit = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }));
  onTestFinished(async () => {
    // The group: what the worker started goes with it.
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All gone already.
    }
    await exit;
  });
  const [input, out, err, fd3] = child.stdio as unknown as [Writable, Readable, Readable, Readable];
  const channel = kind === 'fd3' ? fd3 : out;
  for (const stream of [input, channel]) stream.on('error', () => undefined);
  return {
    child,
    input,
    channel,
    exit,
    channelEnd: new Promise((resolve) => {
      channel.once('end', resolve);
    }),
    stdout: textOf(out, kind === 'fd3'),
    stderr: textOf(err),
  };
}

function sdkArgs(sdk: StartOptions['sdk']): readonly string[] {
  if (sdk === undefined) return [];
  return [...(sdk === 'script' ? [SDK] : ['-c', 'import pawl_worker; pawl_worker.main()']), '--tasks'];
}

function textOf(stream: Readable, read = true): () => string {
  const chunks: Buffer[] = [];
  if (read) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

interface RunHow {
  readonly runId?: string;
  readonly attempt?: number;
  readonly budgetMs?: number;
  readonly trace?: string;
  readonly credit?: number;
}

interface Notified {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A run under way, and what it has said so far. */
interface Run {
  readonly id: number;
  readonly response: Promise<unknown>;
  readonly said: readonly Notified[];
  /** Resolves with the first thing it says: the task has begun. */
  readonly begun: Promise<Notified>;
  readonly cancel: (reason?: string) => void;
}

interface Setup extends StartedWorker {
  readonly connection: Connection;
  readonly hello: Awaited<ReturnType<typeof acceptWorker>>;
  /** Lines on the channel that were no frames, and answers to nobody. */
  readonly strays: readonly unknown[];
  readonly begin: (task: string, input?: unknown, how?: RunHow) => Run;
  readonly run: (task: string, input?: unknown, how?: RunHow) => Promise<unknown>;
  readonly fail: (task: string, input?: unknown, how?: RunHow) => Promise<RemoteError>;
  readonly ping: () => Promise<Readonly<Record<string, unknown>>>;
}

async function setup(options: StartOptions & { readonly maxMessageBytes?: number } = {}): Promise<Setup> {
  const { maxMessageBytes = 64 * 1024 * 1024 } = options;
  const worker = start(options);
  const connection = createConnection(stdioTransport({ readable: worker.channel, writable: worker.input }));
  const strays: unknown[] = [];
  connection.onAny((_, payload) => strays.push(payload));
  const hello = await acceptWorker(connection, { workerId: 'w1', heartbeatMs: 1000, maxMessageBytes });

  function begin(task: string, input?: unknown, how: RunHow = {}): Run {
    const said: Notified[] = [];
    const { promise: begun, resolve } = createDeferred<Notified>();
    const call = connection.call(
      'run',
      { task, ...(input === undefined ? {} : { input }), runId: 'run-1', attempt: 1, ...how },
      {
        onNotification: (method, params) => {
          said.push({ method, params });
          resolve({ method, params });
        },
      },
    );
    // Whoever waits for it still sees the error.
    call.response.catch(() => undefined);
    return {
      id: call.id,
      response: call.response,
      said,
      begun,
      cancel: (reason = 'enough') => call.cancel(reason),
    };
  }
  const run: Setup['run'] = (task, input, how) => begin(task, input, how).response;
  return {
    ...worker,
    connection,
    hello,
    strays,
    begin,
    run,
    fail: (task, input, how) => failure(run(task, input, how)),
    ping: async () => (await connection.request('ping')) as Readonly<Record<string, unknown>>,
  };
}

async function failure(response: Promise<unknown>): Promise<RemoteError> {
  const outcome = await response.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome && outcome.error instanceof RemoteError) return outcome.error;
  throw new Error('Expected a RemoteError.', { cause: outcome });
}

/** The far stack of an error. */
function farStack(error: RemoteError): string {
  return error.cause instanceof Error ? (error.cause.stack ?? '') : '';
}

interface RawSetup extends StartedWorker {
  readonly send: (text: string | Uint8Array) => void;
  readonly next: () => Promise<Record<string, unknown>>;
}

/** A worker spoken to in bytes. */
async function setupRaw(options: StartOptions = {}): Promise<RawSetup> {
  const worker = start(options);
  const lines = linesOf(worker.channel);
  const next = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`The channel ended. ${worker.stderr()}`);
    return JSON.parse(value) as Record<string, unknown>;
  };
  expect(await next()).toMatchObject({ method: 'hello' });
  const send = (text: string | Uint8Array): void => void worker.input.write(text);
  send(`${JSON.stringify(WELCOME)}\n`);
  return { ...worker, send, next };
}

/** A number of 400 digits, once its quotes are off. */
const HUGE = '9'.repeat(400);

const WELCOME = {
  jsonrpc: '2.0',
  method: 'welcome',
  params: { protocol: 1, workerId: 'w1', heartbeatMs: 1000, maxMessageBytes: 1_000_000 },
};

async function* linesOf(stream: Readable): AsyncGenerator<string, void> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function request(id: number, method: string, params?: unknown): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
}

/** How long until `event`, in milliseconds. */
async function elapsed(event: Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await event;
  return performance.now() - begin;
}

describe.skipIf(!python)(title, () => {
  describe('handshake', () => {
    it('introduces itself with its tasks, features and versions in its first frame', async () => {
      const { hello, child, run, strays } = await setup();
      expect(hello).toMatchObject({
        protocol: { min: 1, max: 1 },
        name: 'fixture',
        language: 'python',
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        pid: child.pid,
        features: ['cancel', 'progress', 'stream', 'log', 'validate', 'queue'],
      });
      expect(hello.tasks).toContain('echo');
      expect(await run('echo', 1)).toBe(1);
      expect(strays).toEqual([]);
    });

    it('ends with the reason when it is refused', async () => {
      const worker = start();
      const { value } = await linesOf(worker.channel).next();
      expect(value).toContain('"hello"');
      worker.input.write(
        '{"jsonrpc":"2.0","method":"refuse","params":{"reason":"too old","supported":{"min":2,"max":3}}}\n',
      );
      expect(await worker.exit).toEqual({ code: 1, signal: null });
      expect(worker.stderr()).toContain('the host refused this worker: too old');
    });

    it('ends when the host chooses a version it does not speak', async () => {
      const worker = start();
      await linesOf(worker.channel).next();
      worker.input.write('{"jsonrpc":"2.0","method":"welcome","params":{"protocol":2}}\n');
      expect(await worker.exit).toEqual({ code: 1, signal: null });
      expect(worker.stderr()).toContain('protocol version 2');
    });

    it('takes no run before the welcome', async () => {
      const worker = start();
      const lines = linesOf(worker.channel);
      await lines.next();
      worker.input.write(request(1, 'run', { task: 'echo' }));
      expect(JSON.parse((await lines.next()).value ?? '')).toMatchObject({ id: 1, error: { code: -32_600 } });
    });

    it('fails to start without a frame when init raises', async () => {
      const worker = start({ file: 'failing_init.py' });
      expect(await worker.exit).toEqual({ code: 1, signal: null });
      expect(worker.stderr()).toContain('RuntimeError: the model is missing');
      expect((await linesOf(worker.channel).next()).done).toBe(true);
    });
  });

  describe('a run', () => {
    it('gets its input and gives its result', async () => {
      const { run } = await setup();
      const input = {
        text: 'žluťoučký 🐎 \u2028 "\\" \u0000',
        n: [1, -2.5, 1e21, true, null],
        nested: { a: {} },
      };
      expect(await run('echo', input)).toEqual(input);
      expect(await run('echo')).toBeNull();
    });

    it('carries lone surrogates both ways', async () => {
      const { run } = await setup();
      expect(await run('echo', 'a\uD800b\uDC00')).toBe('a\uD800b\uDC00');
      expect(await run('unsendable', 'surrogate')).toBe('\uD800');
    });

    it('sees its run id, attempt, trace and budget, on the main thread', async () => {
      const { run } = await setup();
      const how = { runId: 'r-7', attempt: 3, trace: '00-aa-bb-01', budgetMs: 60_000 };
      const seen = (await run('context', null, how)) as Record<string, unknown>;
      expect(seen).toMatchObject({
        runId: 'r-7',
        attempt: 3,
        trace: '00-aa-bb-01',
        onScale: true,
        cancelled: false,
        mainThread: true,
      });
      expect(seen['leftMs']).toBeGreaterThan(50_000);
      expect(seen['leftMs']).toBeLessThanOrEqual(60_000);
      expect(await run('context', null)).toMatchObject({ trace: null, leftMs: null, onScale: false });
    });

    it('reports progress and log before its result, in order', async () => {
      const { begin } = await setup();
      const run = begin('shout', { text: 'abc' });
      expect(await run.response).toBe('ABC');
      expect(run.said).toEqual([
        { method: 'progress', params: { id: run.id, value: 0.5, message: 'half' } },
        { method: 'progress', params: { id: run.id, step: 3, total: 4, data: { file: 'a.txt' } } },
        {
          method: 'log',
          params: { id: run.id, level: 'warn', message: 'careful', fields: { left: 1, odd: '{1, 2}' } },
        },
      ]);
    });

    it('may be async', async () => {
      const { run } = await setup();
      expect(await run('wait_async', 0.001)).toBe('slept');
    });

    it('waits its turn: one runs at a time, in order', async () => {
      const { run } = await setup();
      const ended: number[] = [];
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          expect(await run('echo', index)).toBe(index);
          ended.push(index);
        }),
      );
      expect(ended).toEqual(Array.from({ length: 50 }, (_, index) => index));
    });

    it('says nothing after its answer, whatever its threads go on reporting', async () => {
      const { send, next } = await setupRaw();
      send(request(1, 'run', { task: 'report_late' }));
      let frame = await next();
      expect(frame).toMatchObject({ method: 'progress', params: { id: 1 } });
      while (!('id' in frame)) frame = await next();
      expect(frame).toMatchObject({ id: 1, result: null });
      send(request(2, 'run', { task: 'wait', input: 0.02 }));
      expect(await next()).toMatchObject({ id: 2, result: null });
      send(request(3, 'run', { task: 'end_late' }));
      expect(await next()).toMatchObject({ id: 3, result: null });
    });

    it('tears no frame when a signal handler raises in the midst of one', async () => {
      const { begin, strays } = await setup();
      const storm = begin('alarm_storm', 300_000, { credit: 1_000_000 });
      expect(await storm.response).toBe(100);
      expect(storm.said.every(({ params }) => (params['data'] as string).length === 300_000)).toBe(true);
      expect(storm.said.map(({ params }) => params['seq'])).toEqual(storm.said.map((_, index) => index));
      expect(strays).toEqual([]);
    });

    it('survives a signal handler that raises after its task has returned', async () => {
      const { run, stderr } = await setup();
      await run('stray_alarm');
      await expect.poll(stderr).toContain('rang late');
      expect(await run('echo', 'still here')).toBe('still here');
    });
  });

  describe('errors', () => {
    it('cross with name, message, code, fields and what could not', async () => {
      const { fail } = await setup();
      const error = await fail('fail');
      expect(error).toMatchObject({
        name: 'CustomError',
        message: 'no luck',
        code: 'E_CUSTOM',
        rpcCode: -32_000,
        fields: { retryAfterMs: 250, tags: ['a', 'b'] },
        omitted: ['handle'],
      });
    });

    it('carry the traceback without the frames of the SDK', async () => {
      const { fail } = await setup();
      const stack = farStack(await fail('fail'));
      expect(stack).toMatch(
        /^Traceback \(most recent call last\):\n {2}File ".*python_worker\.py", line \d+, in fail\n/,
      );
      expect(stack).toContain('CustomError: no luck');
      expect(stack).not.toContain('pawl_worker.py');
    });

    it('carry their causes, given and implied', async () => {
      const { fail } = await setup();
      const error = await fail('fail_deep');
      expect(error).toMatchObject({ name: 'ValueError', message: 'outer' });
      const cause = (error.cause as Error).cause as RemoteError;
      expect(cause).toMatchObject({
        name: 'FileNotFoundError',
        code: 'ENOENT',
        fields: { errno: 2, filename: '/nowhere/at/all' },
      });
      expect((cause.cause as Error).cause).toMatchObject({ name: 'KeyError', message: "'key'" });
    });

    it('carry the errors of a group', async () => {
      const { fail } = await setup();
      const error = await fail('fail_group');
      expect(error.message).toBe('two things');
      expect(error.errors).toMatchObject([
        { name: 'ValueError', message: 'one' },
        { name: 'CustomError', message: 'two', code: 'E_CUSTOM' },
      ]);
      expect(error.omitted).toEqual([]);
    });

    it('degrade field by field', async () => {
      const { fail } = await setup({ maxMessageBytes: 100_000 });
      expect(await fail('fail_badly')).toMatchObject({ name: 'Unprintable', omitted: ['message'] });
      const long = await fail('fail_long', 1_000_000);
      expect(long).toMatchObject({ name: 'ValueError', rpcCode: -32_000 });
      expect(long.message).toMatch(/^x{2000}$/);
    });

    it('are shortened to what fits, the stack first', async () => {
      const { fail } = await setup({ maxMessageBytes: 1_200 });
      const refused = await fail('big', 20_000);
      expect(refused).toMatchObject({ code: 'MESSAGE_TOO_LARGE', fields: { maxMessageBytes: 1_200 } });
      const core = await fail('fail_long', 200);
      expect(core).toMatchObject({ name: 'ValueError', message: 'x'.repeat(200) });
      const { message } = await fail('fail_long', 100_000);
      expect(message).toMatch(/^x{80}$/);
    });

    it('of a recursion without end cross, shortened', async () => {
      const { fail, run } = await setup();
      const error = await fail('recurse');
      expect(error.name).toBe('RecursionError');
      expect(farStack(error)).toContain('frames left out');
      expect(farStack(error).length).toBeLessThan(50_000);
      expect(await run('echo', 1)).toBe(1);
    });

    it.each([
      [3, 'The task called for an exit with code 3.', 3],
      [undefined, 'The task called for an exit with code 0.', undefined],
      ['out of paper', 'The task called for an exit with code 1: out of paper.', undefined],
    ])('name the exit code of sys.exit(%j), and the worker stays', async (code, message, field) => {
      const { fail, run } = await setup();
      const error = await fail('exit_with', code ?? null);
      expect(error).toMatchObject({ name: 'SystemExit', message, rpcCode: -32_000 });
      expect(error.fields['code']).toBe(field);
      expect(await run('echo', 1)).toBe(1);
    });

    it('name a KeyboardInterrupt, and the worker stays', async () => {
      const { fail, run } = await setup();
      expect(await fail('interrupt_self')).toMatchObject({ name: 'KeyboardInterrupt', rpcCode: -32_000 });
      expect(await run('echo', 1)).toBe(1);
    });

    it('say which tasks there are when there is none of that name', async () => {
      const { fail } = await setup();
      const error = await fail('nope');
      expect(error.rpcCode).toBe(-32_003);
      expect(error.message).toMatch(/^There is no task "nope" here\. There are: .*echo, shout/);
    });
  });

  describe('results', () => {
    it.each([
      ['set', 'result.items[3]', 'a set'],
      ['bytes', 'result["a b"]', 'a bytes'],
      ['nan', 'result[1]', 'NaN'],
      ['infinity', 'result.x[0]', 'Infinity'],
      ['cycle', 'result.loop[1]', 'a cycle'],
      ['key', 'result.map', 'a key that is a tuple'],
      ['object', 'result[0]', 'an object'],
      ['function', 'result', 'a function'],
    ])('that JSON cannot carry are refused by their path: %s', async (kind, path, what) => {
      const { fail, run } = await setup();
      const error = await fail('unsendable', kind);
      expect(error).toMatchObject({
        rpcCode: -32_005,
        code: 'NOT_SERIALIZABLE',
        message: `Can't send \`${path}\`: ${what} is not JSON.`,
        fields: { path },
      });
      expect(await run('echo', 1)).toBe(1);
    });

    it('nested too deeply are refused', async () => {
      const { fail, run } = await setup();
      const error = await fail('unsendable', 'deep');
      expect(error.rpcCode).toBe(-32_005);
      expect(error.message).toMatch(/^Can't send `result\[0\].*: a value nested \d+ deep is not JSON\.$/);
      expect(error.message.length).toBeLessThan(1000);
      expect(await run('echo', 1)).toBe(1);
    });

    it('over the limit of the host are refused with both sizes', async () => {
      const { fail, run } = await setup({ maxMessageBytes: 10_000 });
      const error = await fail('big', 20_000);
      expect(error).toMatchObject({ rpcCode: -32_005, code: 'MESSAGE_TOO_LARGE' });
      expect(error.message).toMatch(/^Can't send a message of 200\d\d bytes: the limit is 10000 bytes\.$/);
      expect(await run('big', 9000)).toHaveLength(9000);
    });

    it('of 10 MB arrive whole though the process ends right behind them', async () => {
      const { run, exit } = await setup();
      const result = run('big', 10_000_000);
      const crash = run('hard_exit', 0).catch((error: unknown) => error);
      expect(await result).toHaveLength(10_000_000);
      expect(await exit).toEqual({ code: 0, signal: null });
      expect(await crash).toMatchObject({ code: 'CONNECTION_CLOSED' });
    });
  });

  describe('validation', () => {
    it('answers a validate request with the issues', async () => {
      const { connection } = await setup();
      expect(await connection.request('validate', { task: 'guarded', input: {} })).toEqual({
        valid: false,
        issues: [{ path: 'count', message: 'is missing' }],
      });
      expect(await connection.request('validate', { task: 'guarded', input: { count: 1 } })).toEqual({
        valid: true,
        issues: [],
      });
      expect(await connection.request('validate', { task: 'echo' })).toEqual({ valid: true, issues: [] });
      expect(await failure(connection.request('validate', { task: 'nope' }))).toMatchObject({
        rpcCode: -32_003,
      });
    });

    it('keeps a bad input from its task', async () => {
      const { run, fail } = await setup();
      expect(await run('guarded', { count: 5 })).toBe(5);
      expect(await fail('guarded', {})).toMatchObject({
        rpcCode: -32_004,
        message: 'The input does not suit task `guarded` at `count`: is missing',
        fields: { issues: [{ path: 'count', message: 'is missing' }] },
      });
    });
  });

  describe('health', () => {
    it('answers pings while a task spins, and says for how long it has', async () => {
      const { begin, ping, child } = await setup();
      expect(await ping()).toMatchObject({
        pid: child.pid,
        runsActive: 0,
        runsDone: 0,
        runsFailed: 0,
        lagMs: 0,
      });
      await begin('spin').begun;
      const first = await ping();
      expect(first).toMatchObject({ runsActive: 1, runsDone: 0 });
      expect(first['uptimeMs']).toBeGreaterThan(0);
      expect(first['rssBytes']).toBeGreaterThan(1_000_000);
      const lagMs = async (): Promise<number> => (await ping())['lagMs'] as number;
      await expect.poll(lagMs).toBeGreaterThan((first['lagMs'] as number) + 20);
    });

    it('counts runs done and failed', async () => {
      const { run, fail, ping } = await setup();
      await run('echo', 1);
      await fail('fail');
      expect(await ping()).toMatchObject({ runsActive: 0, runsDone: 2, runsFailed: 1 });
    });
  });

  describe('cancel', () => {
    it.each(['spin', 'nap', 'finalise', 'check'])('interrupts a task: %s', async (task) => {
      const { begin, run } = await setup();
      const started = begin(task);
      await started.begun;
      started.cancel('too slow');
      expect(await failure(started.response)).toMatchObject({
        rpcCode: -32_001,
        name: 'Cancelled',
        message: 'too slow',
      });
      expect(await run('echo', 1)).toBe(1);
    });

    it('interrupts an async task', async () => {
      const { begin, run } = await setup();
      const started = begin('wait_async', 60);
      await started.begun;
      started.cancel();
      expect(await failure(started.response)).toMatchObject({ rpcCode: -32_001 });
      expect(await run('wait_async', 0)).toBe('slept');
    });

    it('lets the task clean up, and reports of that arrive', async () => {
      const { begin } = await setup();
      const started = begin('clean_up');
      await started.begun;
      started.cancel();
      expect(await failure(started.response)).toMatchObject({ rpcCode: -32_001 });
      expect(started.said.at(-1)).toMatchObject({ method: 'log', params: { message: 'cleaned up: True' } });
    });

    it('is not mistaken for a signal from elsewhere', async () => {
      const { begin, child, ping } = await setup();
      const started = begin('swallow');
      await started.begun;
      const lagMs = async (): Promise<number> => (await ping())['lagMs'] as number;
      await expect.poll(lagMs).toBeGreaterThan(20);
      child.kill('SIGURG');
      await expect.poll(lagMs).toBeGreaterThan(100);
      started.cancel('why');
      expect(await started.response).toEqual(['Cancelled', true, 'why']);
    });

    it('leaves the last word to a task that goes on to return', async () => {
      const { begin } = await setup();
      const started = begin('swallow');
      await started.begun;
      started.cancel('why');
      expect(await started.response).toEqual(['Cancelled', true, 'why']);
    });

    it('answers a run that still waits at once', async () => {
      const { begin, run } = await setup();
      const spinning = begin('spin');
      await spinning.begun;
      const waiting = begin('echo', 1);
      waiting.cancel();
      expect(await failure(waiting.response)).toMatchObject({ rpcCode: -32_001 });
      spinning.cancel();
      await failure(spinning.response);
      expect(await run('echo', 2)).toBe(2);
    });

    it('racing the end of a run never costs an answer or hits another run', async () => {
      const { begin, strays, ping } = await setup();
      const outcomes = new Set<unknown>();
      for (let round = 0; round < 300; round += 1) {
        const raced = begin('brief', (round % 30) * 1000);
        const next = begin('brief', 3);
        for (let turn = round % 7; turn > 0; turn -= 1) await new Promise(setImmediate);
        raced.cancel();
        outcomes.add(
          await raced.response.then(
            () => 'done',
            (error: RemoteError) => error.rpcCode,
          ),
        );
        expect(await next.response).toBe(3);
      }
      expect(outcomes).toEqual(new Set(['done', -32_001]));
      expect(strays).toEqual([]);
      expect(await ping()).toMatchObject({ runsActive: 0, runsDone: 600 });
    });
  });

  describe('the budget', () => {
    it('ends a task that checks', async () => {
      const { fail } = await setup();
      expect(await fail('slow_budget', null, { budgetMs: 20 })).toMatchObject({
        rpcCode: -32_002,
        name: 'BudgetExceeded',
        message: 'The budget of 20 ms ran out.',
      });
    });

    it('keeps a run whose time is up from starting', async () => {
      const { fail } = await setup();
      expect(await fail('echo', 1, { budgetMs: 0 })).toMatchObject({ rpcCode: -32_002 });
    });
  });

  describe('withdraw', () => {
    it('gives back what has not begun, while a task spins, and answers the rest', async () => {
      const { begin, connection } = await setup();
      const slow = begin('spin');
      await slow.begun;
      const [kept, given] = [begin('echo', 'kept'), begin('echo', 'given')];
      const asked = { ids: [slow.id, given.id, 99_999] };
      await expect(connection.request('withdraw', asked)).resolves.toEqual({ withdrawn: [given.id] });
      connection.withdrawn([given.id]);
      await expect(given.response).rejects.toMatchObject({ code: 'WITHDRAWN' });
      slow.cancel();
      expect(await failure(slow.response)).toMatchObject({ rpcCode: -32_001 });
      expect(await kept.response).toBe('kept');
      await expect(connection.request('withdraw', { ids: [kept.id] })).resolves.toEqual({ withdrawn: [] });
      expect(await connection.request('ping')).toMatchObject({ runsActive: 0, runsDone: 2 });
    });

    it.each([undefined, {}, { ids: 'all' }, { ids: [true] }])('refuses the params %j', async (params) => {
      const { connection } = await setup();
      expect(await failure(connection.request('withdraw', params))).toMatchObject({ rpcCode: -32_602 });
    });
  });

  describe('streams', () => {
    it.each([
      ['numbers', 'done'],
      ['generate', 'generated'],
    ])('send no more chunks than there is credit for: %s', async (task, result) => {
      const { begin, connection, ping } = await setup();
      const stream = begin(task, 5, { credit: 0 });
      await ping();
      expect(stream.said).toEqual([]);
      await connection.notify('credit', { id: stream.id, n: 2 });
      await expect.poll(() => stream.said.length).toBe(2);
      await ping();
      expect(stream.said).toHaveLength(2);
      await connection.notify('credit', { id: stream.id, n: 10 });
      expect(await stream.response).toBe(result);
      expect(stream.said.map(({ params }) => [params['seq'], params['data']])).toEqual([
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
      ]);
    });

    it.each(['numbers', 'generate'])('without credit wait until they are cancelled: %s', async (task) => {
      const { begin, ping, run } = await setup();
      const stream = begin(task, 5, { credit: 0 });
      await ping();
      stream.cancel();
      expect(await failure(stream.response)).toMatchObject({ rpcCode: -32_001 });
      expect(await run('echo', 1)).toBe(1);
    });

    it('without credit wait until their budget is used up', async () => {
      const { fail } = await setup();
      expect(await fail('numbers', 5, { budgetMs: 20, credit: 0 })).toMatchObject({ rpcCode: -32_002 });
    });

    it.each([
      ['numbers', 'done'],
      ['generate', 'generated'],
    ])('are dropped, and do not wait, for a caller that takes none: %s', async (task, result) => {
      const { begin } = await setup();
      const stream = begin(task, 5);
      expect(await stream.response).toBe(result);
      expect(stream.said).toEqual([]);
    });

    it('refuse a chunk that JSON cannot carry in the task, and leave no gap', async () => {
      const { begin } = await setup();
      const stream = begin('emit_unsendable', undefined, { credit: 1 });
      await stream.response;
      expect(stream.said.map(({ params }) => params)).toEqual([
        { id: stream.id, seq: 0, data: 'chunk.part' },
      ]);
    });
  });

  describe.each(['fd3', 'stdout'] as const)('on channel %s', (channel) => {
    it('loses and invents nothing, whatever is printed', async () => {
      const worker = await setup({ channel });
      expect(await Promise.all([1, 2, 3].map(() => worker.run('stray')))).toEqual(['real', 'real', 'real']);
      expect(await worker.run('echo', 1)).toBe(1);
      expect(worker.strays).toEqual([]);
      const printed = channel === 'fd3' ? worker.stdout : worker.stderr;
      await expect.poll(printed).toContain('printed at import');
      for (const [text, count] of [
        ['forged', 150],
        ['grandchild', 3],
        ['thread', 3],
        ['no newline', 3],
      ] as const) {
        await expect.poll(() => printed().split(text).length - 1).toBe(count);
      }
    });

    it('gives user code an empty stdin', async () => {
      const { run } = await setup({ channel });
      expect(await run('read_stdin')).toBe('EOFError');
      expect(await run('spawn_cat')).toBe('');
    });

    it.each(['spawn', 'fork'])('is not held open by a child process that stays: %s', async (how) => {
      const { run, connection, channelEnd } = await setup({ channel });
      await run('leave_child', how);
      await connection.notify('shutdown', { graceMs: 1000 });
      await channelEnd;
    });

    it('carries 8 MB both ways at once', async () => {
      const { run } = await setup({ channel });
      const text = 'é'.repeat(4_000_000);
      expect(await Promise.all([1, 2, 3].map(() => run('echo', text)))).toEqual([text, text, text]);
    });
  });

  it('has the prints of a run out before its result', async () => {
    const { run, stdout } = await setup();
    await run('print_buffered');
    await expect.poll(stdout).toContain('held back');
  });

  it('works on when user code replaces what it needs', async () => {
    const { run, ping, fail } = await setup();
    await run('sabotage');
    expect(await run('echo', { a: 1 })).toEqual({ a: 1 });
    expect(await fail('unsendable', 'set')).toMatchObject({ rpcCode: -32_005 });
    expect(await fail('fail')).toMatchObject({ name: 'CustomError' });
    expect(await ping()).toMatchObject({ runsDone: 4 });
  });

  it('keeps its descriptors out of reach of code that closes the low ones', async () => {
    const { run } = await setup();
    await run('close_low_descriptors');
    expect(await run('echo', 1)).toBe(1);
  });

  it('answers once when a task forks and both sides return', async () => {
    const { begin, run, strays } = await setup();
    const forked = begin('fork_and_return');
    expect(await forked.response).toBe('parent');
    expect(await run('echo', 1)).toBe(1);
    expect(forked.said).toEqual([]);
    expect(strays).toEqual([]);
  });

  describe('bytes', () => {
    it('may come cut anywhere, with CRLF, blank lines and a byte order mark', async () => {
      const worker = start();
      const lines = linesOf(worker.channel);
      await lines.next();
      const text = `\uFEFF${JSON.stringify(WELCOME)}\r\n\r\n\n${request(1, 'run', { task: 'echo', input: 'é🐎' })}`;
      for (const byte of Buffer.from(text)) {
        await new Promise((resolve) => {
          worker.input.write(Buffer.of(byte), resolve);
        });
      }
      expect(JSON.parse((await lines.next()).value ?? '')).toEqual({ jsonrpc: '2.0', id: 1, result: 'é🐎' });
    });

    it.each([
      ['not JSON', '{"jsonrpc":\n', -32_700],
      ['words', 'hello there\n', -32_700],
      ['two values', '{} {}\n', -32_700],
      ['NaN', '{"jsonrpc":"2.0","id":1,"method":"run","params":{"task":"echo","input":NaN}}\n', -32_700],
      ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22, 0x0a]), -32_700],
      ['a NUL', Buffer.from([0x00, 0x0a]), -32_700],
      ['an overlong line', `"${'x'.repeat(1_500_000)}"\n`, -32_700],
      ['an array', '[]\n', -32_600],
      ['no jsonrpc', '{"id":1,"method":"ping"}\n', -32_600],
      ['a bad id', '{"jsonrpc":"2.0","id":"1","method":"ping"}\n', -32_600],
      ['id true', '{"jsonrpc":"2.0","id":true,"method":"ping"}\n', -32_600],
    ])('that are no request cost one answer to nobody: %s', async (_, bytes, code) => {
      const { send, next, stderr } = await setupRaw();
      send(bytes);
      send(request(2, 'run', { task: 'echo', input: 'fine' }));
      expect(await next()).toMatchObject({ id: null, error: { code } });
      expect(await next()).toEqual({ jsonrpc: '2.0', id: 2, result: 'fine' });
      expect(stderr()).toBe('');
    });

    it.each([
      ['an unknown method', { method: 'nope' }, -32_601],
      ['a method that is no string', { method: 1 }, -32_600],
      ['no params', { method: 'run' }, -32_602],
      ['no task', { method: 'run', params: {} }, -32_602],
      ['a budget out of range', { method: 'run', params: { task: 'echo', budgetMs: HUGE } }, -32_602],
      ['a budget that is no number', { method: 'run', params: { task: 'echo', budgetMs: 'x' } }, -32_602],
    ])('that are a wrong request are answered with its code: %s', async (_, message, code) => {
      const { send, next } = await setupRaw();
      send(`${JSON.stringify({ jsonrpc: '2.0', id: 7, ...message }).replace(`"${HUGE}"`, HUGE)}\n`);
      expect(await next()).toMatchObject({ id: 7, error: { code } });
    });

    it('nested too deeply are answered under their id', async () => {
      const { send, next } = await setupRaw();
      const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
      send(`{"jsonrpc":"2.0","id":9,"method":"run","params":{"task":"echo","input":${deep}}}\n`);
      expect(await next()).toMatchObject({ id: 9, error: { code: -32_602 } });
      send(request(10, 'run', { task: 'echo', input: 1 }));
      expect(await next()).toMatchObject({ id: 10, result: 1 });
    });

    it('of unknown notifications, answers and ids are ignored', async () => {
      const { send, next } = await setupRaw();
      send('{"jsonrpc":"2.0","method":"nope"}\n{"jsonrpc":"2.0","id":5,"result":1}\n');
      send('{"jsonrpc":"2.0","method":"cancel","params":{"id":99}}\n{"jsonrpc":"2.0","method":"cancel"}\n');
      send('{"jsonrpc":"2.0","method":"credit","params":{"id":[],"n":"x"}}\n');
      send(request(1, 'run', { task: 'echo', input: { __proto__: 1, constructor: 2 } }));
      expect(await next()).toMatchObject({ id: 1, result: { constructor: 2 } });
    });

    it('are taken while nobody reads the answers', async () => {
      const worker = start();
      const send = (text: string): Promise<unknown> =>
        new Promise((resolve) => {
          worker.input.write(text, resolve);
        });
      await send(`${JSON.stringify(WELCOME).replace('1000000', '20000000')}\n`);
      await send(request(1, 'run', { task: 'big', input: 5_000_000 }));
      for (let id = 2; id < 300; id += 1) await send(request(id, 'ping'));
      await send(request(300, 'run', { task: 'echo', input: 'y'.repeat(5_000_000) }));
      const ids: unknown[] = [];
      for await (const line of linesOf(worker.channel)) {
        ids.push((JSON.parse(line) as { id?: number }).id);
        if (ids.length === 300) break;
      }
      expect(new Set(ids).size).toBe(300);
    });
  });

  describe('shutdown', () => {
    it('finishes what it has, takes nothing new, tears down and exits 0', async () => {
      const worker = await setup();
      const waiting = worker.begin('wait_async', 0.05);
      await waiting.begun;
      const queued = worker.begin('echo', 'queued');
      await worker.connection.notify('shutdown', { graceMs: 5000 });
      const refused = worker.begin('echo', 'late');
      expect(await failure(refused.response)).toMatchObject({ rpcCode: -32_006 });
      expect(await waiting.response).toBe('slept');
      expect(await queued.response).toBe('queued');
      expect(await worker.exit).toEqual({ code: 0, signal: null });
      await expect.poll(worker.stdout).toMatch(/initialised[\s\S]*torn down\nafter serve\n$/);
      expect(worker.stderr()).toBe('');
    });

    it('is at once when it is idle, with no grace at all', async () => {
      const { connection, exit } = await setup();
      await connection.notify('shutdown', { graceMs: 0 });
      expect(await exit).toEqual({ code: 0, signal: null });
    });

    it('needs no parameters', async () => {
      const { send, exit } = await setupRaw();
      send('{"jsonrpc":"2.0","method":"shutdown"}\n');
      expect(await exit).toEqual({ code: 0, signal: null });
    });

    it('is forced at the end of the grace', async () => {
      const { begin, connection, exit } = await setup();
      const spinning = begin('spin');
      await spinning.begun;
      const crash = spinning.response.catch((error: unknown) => error);
      await connection.notify('shutdown', { graceMs: 100 });
      expect(await exit).toEqual({ code: 1, signal: null });
      expect(await crash).toMatchObject({ code: 'CONNECTION_CLOSED' });
    });
  });

  describe('the end of the host', () => {
    it('ends an idle worker, torn down', async () => {
      const { input, exit, stdout } = await setup();
      input.end();
      expect(await exit).toEqual({ code: 0, signal: null });
      await expect.poll(stdout).toContain('torn down');
    });

    it.each(['spin', 'nap', 'numbers'])('cancels what runs and ends within a second: %s', async (task) => {
      const { begin, input, exit, ping } = await setup();
      const started = begin(task, 5, { credit: 0 });
      await ping();
      input.end();
      expect(await elapsed(exit)).toBeLessThan(1500);
      expect(await failure(started.response)).toMatchObject({
        rpcCode: -32_001,
        message: 'The host is gone.',
      });
    });

    it('ends a worker that hangs in a write nobody reads', async () => {
      const worker = start();
      worker.input.write(`${JSON.stringify(WELCOME).replace('1000000', '20000000')}\n`);
      worker.input.write(request(1, 'run', { task: 'big', input: 10_000_000 }));
      // Takes what fits the stream's buffer, and no more.
      worker.channel.on('readable', () => undefined);
      await expect.poll(() => worker.channel.readableLength).toBeGreaterThan(60_000);
      worker.input.end();
      expect(await elapsed(worker.exit)).toBeLessThan(2500);
    });

    it('by SIGKILL ends a spinning worker', async () => {
      const { begin, child, channelEnd } = await setup({ through: [python ?? '', fixture('fake_host.py')] });
      const spinning = begin('spin');
      await spinning.begun;
      child.kill('SIGKILL');
      expect(await elapsed(channelEnd)).toBeLessThan(1500);
    });

    it('is noticed by the change of the parent when another process holds stdin open', async () => {
      const { begin, child, channelEnd } = await setup({
        through: [python ?? '', fixture('fake_host.py'), '--leak'],
      });
      await begin('spin').begun;
      child.kill('SIGKILL');
      expect(await elapsed(channelEnd)).toBeLessThan(2500);
    });
  });

  describe('a file of functions', () => {
    it.each(['script', 'import'] as const)('is served by its public functions: %s', async (sdk) => {
      const { hello, run, begin, strays } = await setup({ file: 'plain_functions.py', sdk });
      expect(hello.name).toBe('plain_functions');
      expect(hello.tasks).toEqual(['add', 'nothing', 'with_context', 'with_default', 'cached']);
      expect(await run('add', { a: 2, b: 3 })).toBe(5);
      expect(await run('nothing', 'ignored')).toBe('nothing taken');
      const withContext = begin('with_context', null, { attempt: 4 });
      expect(await withContext.response).toBe(4);
      expect(withContext.said).toHaveLength(1);
      expect(await run('with_default')).toEqual(['default', false]);
      expect(await run('with_default', 1)).toEqual([1, false]);
      expect(await run('cached', 21)).toBe(42);
      expect(strays).toEqual([]);
    });

    it('that calls serve itself has its way', async () => {
      const { hello, run } = await setup({ file: 'guarded_serve.py', sdk: 'script' });
      expect(hello.tasks).toEqual(['own']);
      expect(await run('own')).toBe('own serve');
    });

    it('that does not load shows why on stderr and exits 1 without a frame', async () => {
      const worker = start({ file: 'fails_to_load.py', sdk: 'script' });
      expect(await worker.exit).toEqual({ code: 1, signal: null });
      expect((await linesOf(worker.channel).next()).done).toBe(true);
      await expect.poll(worker.stderr).toContain("RuntimeError: can't do without");
      expect(worker.stderr()).toContain("No module named 'no_such_module_anywhere'");
      expect(worker.stderr()).toMatch(/fails_to_load\.py", line 8/);
      expect(worker.stderr()).not.toContain('pawl_worker.py');
    });

    it('that is not there is named', async () => {
      const worker = start({ file: 'no_such_file.py', sdk: 'script' });
      expect(await worker.exit).toEqual({ code: 1, signal: null });
      await expect.poll(worker.stderr).toContain('no_such_file.py');
    });
  });
});
