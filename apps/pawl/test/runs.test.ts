import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KINDS, runListView, type RunPageView, runView, type RunView } from '../src/api/run-schemas.ts';
import { NO_PROC, NO_PYTHON, processesWith, until } from './processes.ts';
import { ended, runToEnd, script, shell, show, submit, untilPrints } from './run-client.ts';
import { type ProblemBody, type Service, startService } from './start-service.ts';

const SECRET = 'hunter2-of-the-service';

let service: Service;
beforeAll(async () => {
  service = await startService({ PAWL_SECRET: SECRET, AWS_SECRET_ACCESS_KEY: SECRET });
});
afterAll(() => service.dispose());

const refused = (body: unknown): Promise<{ readonly status: number; readonly body: ProblemBody }> =>
  service.request<ProblemBody>('POST', '/v1/runs', { body });

describe('POST /v1/runs', { concurrent: true }, () => {
  it('accepts a script, and shows what becomes of it', async () => {
    const path = script(service, 'report.sh', 'echo "month $2"');
    const { status, headers, body } = await service.request<RunView>('POST', '/v1/runs', {
      body: { script: { path, args: ['--month', '5'] } },
    });
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/v1/runs/${body.id}`);
    expect(body).toMatchObject({ state: 'queued', task: 'script', title: 'report.sh --month 5', attempt: 0 });
    const run = await ended(service, body.id);
    expect(run).toMatchObject({
      state: 'succeeded',
      attempt: 1,
      exitCode: 0,
      error: null,
      input: { path, args: ['--month', '5'] },
      result: { exitCode: 0, lastLines: ['month 5'] },
      attempts: [{ number: 1, outcome: 'succeeded', pid: expect.any(Number), logId: body.id }],
    });
    expect(runView.strict().safeParse(run).error).toBeUndefined();
  });

  it('says how a script failed', async () => {
    const path = script(service, 'fails.sh', 'echo "no such table" >&2; exit 3');
    expect(await runToEnd(service, { script: { path } })).toMatchObject({
      state: 'failed',
      exitCode: 3,
      signal: null,
      error: { code: 'MODULE_FAILED', message: `The script ${path} exited with code 3: no such table.` },
    });
    expect(await runToEnd(service, shell('kill -9 $$'))).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
  });

  it('starts a program without a shell, in its folder, with the harmless part of the environment', async () => {
    const run = await runToEnd(service, {
      command: { file: 'printf', args: ['%s|', '$HOME', 'a b', ';exit 3', '*'] },
    });
    expect(run).toMatchObject({ title: `printf '%s|' '$HOME' 'a b' ';exit 3' '*'`, task: 'command' });
    expect(run.result).toMatchObject({ stdout: '$HOME|a b|;exit 3|*|' });
    const cwd = await runToEnd(service, { command: { file: 'pwd', cwd: service.dataDir } });
    expect(cwd.result).toMatchObject({ stdout: `${service.dataDir}\n` });
    const { result } = await runToEnd(service, {
      command: { file: 'env', env: { GREETING: 'hi', PATH: '/bin' } },
    });
    const { stdout } = result as { readonly stdout: string };
    expect(stdout).toMatch(/^GREETING=hi$/m);
    expect(stdout).toMatch(/^PATH=\/bin$/m);
    expect(stdout).not.toContain(SECRET);
    expect(stdout).not.toContain(service.dataDir);
  });

  it('waits for the end as long as the client prefers', async () => {
    const ask = (line: string, prefer: string) =>
      service.request<RunView>('POST', '/v1/runs', { body: shell(line), headers: { prefer } });
    const quick = await ask('true', 'respond-async, wait=30');
    expect([quick.status, quick.body.state, quick.headers.get('preference-applied')]).toEqual([
      200,
      'succeeded',
      'wait=30',
    ]);
    const slow = await ask('sleep 600', 'wait=1');
    expect([slow.status, slow.body.state]).toEqual([202, 'running']);
    await service.request('POST', `/v1/runs/${slow.body.id}/cancel`);
    expect((await ask('true', 'wait=soon')).status).toBe(202);
  });

  it('is the same run for the same idempotency key, in the field or the header', async () => {
    const body = shell('echo once', { idempotencyKey: 'nightly-1' });
    const first = await service.request<RunView>('POST', '/v1/runs', { body });
    const again = await service.request<RunView>('POST', '/v1/runs', {
      body: shell('echo once'),
      headers: { 'idempotency-key': '"nightly-1"' },
    });
    expect([first.status, again.status, again.body.id]).toEqual([202, 200, first.body.id]);
    const other = await service.request<ProblemBody>('POST', '/v1/runs', {
      body: shell('echo twice', { idempotencyKey: 'nightly-1' }),
    });
    expect([other.status, other.body.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    expect(other.body.detail).toContain(first.body.id);
    const torn = await service.request<ProblemBody>('POST', '/v1/runs', {
      body,
      headers: { 'idempotency-key': 'nightly-2' },
    });
    expect([torn.status, torn.body.errors?.[0]?.field]).toEqual([400, 'idempotency-key']);
  });

  it('keeps to what a run may take', async () => {
    const late = await runToEnd(service, shell('sleep 600', { timeoutMs: 200, maxAttempts: 2 }));
    expect(late).toMatchObject({ state: 'timed-out', error: { code: 'RUN_TIMEOUT' } });
    expect(late.attempts.map(({ outcome }) => outcome)).toEqual(['timed-out', 'timed-out']);
    const over = await runToEnd(service, shell('true', { delayMs: 60_000, deadlineMs: 200 }));
    expect(over).toMatchObject({ state: 'timed-out', attempt: 0, error: { code: 'RUN_DEADLINE' } });
  });

  it.each([
    ['nothing', {}, 'body'],
    ['two things to run', { ...shell('true'), script: { path: '/x' } }, 'body'],
    ['an unknown field', { ...shell('true'), force: true }, 'force'],
    ['an unknown field inside', { command: { file: 'sh', shell: true } }, 'command.shell'],
    ['a path that is no text', { script: { path: 5 } }, 'script.path'],
    ['an empty path', { script: { path: '' } }, 'script.path'],
    ['a zero byte', { command: { file: 'sh', args: ['a\0b'] } }, 'command.args[0]'],
    ['a name that no variable has', { command: { file: 'sh', env: { 'A=B': 'x' } } }, 'command.env.A=B'],
    ['a priority that is no number', { ...shell('true'), priority: 'high' }, 'priority'],
    ['a delay of longer than a year', { ...shell('true'), delayMs: 1e12 }, 'delayMs'],
    ['no attempt at all', { ...shell('true'), maxAttempts: 0 }, 'maxAttempts'],
    ['a key that is too long', { ...shell('true'), key: 'k'.repeat(201) }, 'key'],
    ['a list', [], 'body'],
  ])('refuses %s, naming the field', async (_what, body, field) => {
    const { status, body: problem } = await refused(body);
    expect([status, problem.code, problem.errors?.[0]?.field]).toEqual([400, 'BODY_INVALID', field]);
  });

  it.each([
    ['a script', { script: { path: '/there/is/none.py' } }, 'SCRIPT_NOT_FOUND', 'script.path'],
    ['a folder as a script', { script: { path: '/tmp' } }, 'SCRIPT_NOT_FOUND', 'script.path'],
    [
      'a working folder',
      { command: { file: 'true', cwd: '/there/is/none' } },
      'FOLDER_NOT_FOUND',
      'command.cwd',
    ],
    ['a program in PATH', { command: { file: 'pawl-no-such-program' } }, 'PROGRAM_NOT_FOUND', 'command.file'],
    [
      'a program that may be executed',
      { command: { file: '/etc/passwd' } },
      'PROGRAM_NOT_FOUND',
      'command.file',
    ],
  ])('refuses %s that is not there, before it is stored', async (_what, body, code, field) => {
    const { status, body: problem } = await refused(body);
    expect([status, problem.code, problem.errors?.[0]?.field]).toEqual([422, code, field]);
  });

  it('knows every kind', async () => {
    const codes = await Promise.all(KINDS.map(async (kind) => (await refused({ [kind]: {} })).status));
    expect(codes).toEqual([400, 400, 400, 400]);
    expect((await refused({ module: { id: 'none' } })).body).toMatchObject({
      status: 404,
      code: 'MODULE_NOT_FOUND',
    });
    const limits = await refused({ python: { code: 'pass', limits: { wallMs: 1e9 } } });
    expect([limits.status, limits.body.code, limits.body.errors?.[0]?.field]).toEqual([
      422,
      'EXECUTION_INVALID',
      'python.limits',
    ]);
    const exercise = await refused({ python: { code: 'pass', exerciseId: 'none' } });
    expect(exercise.body).toMatchObject({ status: 404, code: 'EXERCISE_NOT_FOUND' });
  });
});

describe(`Python as a run${NO_PYTHON}`, { concurrent: true, skip: NO_PYTHON !== '' }, () => {
  it('succeeds with what its tests say, and keeps what it prints', async () => {
    const code = '# adds\n\ndef add(a, b):\n    return a + b\nprint("ready")';
    const run = await runToEnd(service, {
      python: { code, testCode: 'import starter\nassert starter.add(1, 2) == 3' },
    });
    expect(run).toMatchObject({
      state: 'succeeded',
      title: 'def add(a, b):',
      exitCode: 0,
      result: { success: true, testResult: { passed: true } },
    });
    const { body } = await service.request('GET', `/v1/runs/${run.id}/logs`);
    expect(body).toMatchObject({ complete: true, entries: [{ text: 'ready', stream: 'stdout' }] });
  });

  it('fails with the cases when a test does, and with its last line when it does itself', async () => {
    const wrong = await runToEnd(service, {
      python: {
        code: 'def add(a, b): return a - b',
        testCode: 'import starter\nassert starter.add(1, 2) == 3',
      },
    });
    expect(wrong).toMatchObject({
      state: 'failed',
      error: { code: 'PROGRAM_FAILED', message: '1 of 1 tests failed.' },
      result: { testResult: { passed: false, testCases: [{ passed: false, expected: '3', actual: '-1' }] } },
    });
    expect(await runToEnd(service, { python: { code: 'import sys\n1/0' } })).toMatchObject({
      state: 'failed',
      exitCode: 1,
      error: { message: 'ZeroDivisionError: division by zero' },
    });
  });

  it('is ended when it is cancelled', async () => {
    const { id } = await submit(service, {
      python: { code: 'while True: pass', limits: { wallMs: 10_000, cpuMs: 10_000 } },
    });
    await until('it runs', async () => (await show(service, id)).body.state === 'running');
    const { status, body } = await service.request<RunView>('POST', `/v1/runs/${id}/cancel`, {
      body: { reason: 'enough' },
    });
    expect([status, body.state, body.cancelReason]).toEqual([200, 'cancelled', 'enough']);
  });
});

describe('a run', { concurrent: true }, () => {
  it('can be asked for again, cheaply, while it stays the same', async () => {
    const { id } = await runToEnd(service, shell('true'));
    const first = await show(service, id);
    const tag = first.headers.get('etag') ?? '';
    expect(first.headers.get('cache-control')).toBe('no-cache');
    const again = await fetch(`${service.url}/v1/runs/${id}`, {
      headers: { 'if-none-match': `"x", W/${tag}` },
    });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const changed = await fetch(`${service.url}/v1/runs/${id}`, { headers: { 'if-none-match': '"x"' } });
    expect(changed.status).toBe(200);
  });

  it('is waited for, no longer than asked', async () => {
    const { id } = await submit(service, shell('sleep 600'));
    const early = await service.request<RunView>('GET', `/v1/runs/${id}/wait?timeoutMs=50`);
    expect([early.status, early.body.endedAt]).toEqual([202, null]);
    const waiting = service.request<RunView>('GET', `/v1/runs/${id}/wait`);
    await service.request('POST', `/v1/runs/${id}/cancel`);
    expect(await waiting).toMatchObject({ status: 200, body: { state: 'cancelled' } });
  });

  it.skipIf(NO_PROC)(`is cancelled with all it started${NO_PROC}`, async () => {
    const mark = `sleep ${600 + Math.random()}`;
    const { id } = await submit(service, shell(`${mark} & setsid ${mark} & echo up; wait`));
    await untilPrints(service, id, 'up');
    const { body } = await service.request<RunView>('POST', `/v1/runs/${id}/cancel`);
    expect(body).toMatchObject({ state: 'cancelled', attempts: [{ outcome: 'cancelled' }] });
    expect(processesWith(mark)).toEqual([]);
    const again = await service.request<ProblemBody>('POST', `/v1/runs/${id}/cancel`);
    expect([again.status, again.body.code]).toEqual([409, 'RUN_ENDED']);
  });

  it('waits for a reason that it says', async () => {
    const later = await submit(service, shell('true', { delayMs: 60_000 }));
    expect(later.waitingFor).toBe(`its time, ${later.availableAt}`);
    const holder = await submit(service, shell('echo up; sleep 600', { key: 'ledger' }));
    await untilPrints(service, holder.id, 'up');
    const next = await submit(service, shell('true', { key: 'ledger' }));
    expect(next.waitingFor).toBe(`the key \`ledger\`, which ${holder.id} has`);
    for (const { id } of [later, next, holder]) await service.request('POST', `/v1/runs/${id}/cancel`);
    expect((await show(service, next.id)).body).toMatchObject({ state: 'cancelled', attempts: [] });
  });

  it('is submitted anew by a retry, once it has ended', async () => {
    const { id } = await submit(
      service,
      shell('echo up; sleep 600', { key: 'k', priority: 3, idempotencyKey: 'once' }),
    );
    await untilPrints(service, id, 'up');
    const early = await service.request<ProblemBody>('POST', `/v1/runs/${id}/retry`, { body: {} });
    expect([early.status, early.body.code]).toEqual([409, 'RUN_NOT_ENDED']);
    const { body: cancelled } = await service.request<RunView>('POST', `/v1/runs/${id}/cancel`);
    const { status, headers, body } = await service.request<RunView>('POST', `/v1/runs/${id}/retry`);
    expect([status, headers.get('location')]).toEqual([202, `/v1/runs/${body.id}`]);
    expect(body.id).not.toBe(id);
    expect(body).toMatchObject({ input: cancelled.input, key: 'k', priority: 3, idempotencyKey: null });
    await service.request('POST', `/v1/runs/${body.id}/cancel`);
  });

  it('is forgotten with its logs, once it has ended', async () => {
    const { id } = await submit(service, shell('echo up; sleep 600'));
    await untilPrints(service, id, 'up');
    const early = await service.request<ProblemBody>('DELETE', `/v1/runs/${id}`);
    expect([early.status, early.body.code]).toEqual([409, 'RUN_NOT_ENDED']);
    await service.request('POST', `/v1/runs/${id}/cancel`);
    expect((await service.request('DELETE', `/v1/runs/${id}`)).status).toBe(204);
    for (const path of ['', '/logs', '/logs/download', '/logs/stream', '/wait']) {
      const gone = await service.request<ProblemBody>('GET', `/v1/runs/${id}${path}`);
      expect([gone.status, gone.body.code]).toEqual([404, 'RUN_NOT_FOUND']);
    }
    expect((await service.request('DELETE', `/v1/runs/${id}`)).status).toBe(404);
  });
});

describe('GET /v1/runs', () => {
  it('lists by state, task, key and time, page by page, the latest first', async () => {
    const key = `list-${Math.random()}`;
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push((await runToEnd(service, shell(`exit ${n % 2}`, { key }))).id);
    const list = async (query: string): Promise<readonly string[]> => {
      const { body } = await service.request<RunPageView>('GET', `/v1/runs?key=${key}&${query}`);
      return body.runs.map(({ id }) => id);
    };
    const latestFirst = ids.toReversed();
    expect(await list('')).toEqual(latestFirst);
    expect(await list('state=failed')).toEqual([ids[3], ids[1]]);
    expect(await list('state=failed,succeeded&task=command')).toEqual(latestFirst);
    expect(await list('task=script')).toEqual([]);
    const { createdAt } = (await show(service, ids[2] ?? '')).body;
    expect(await list(`createdFrom=${createdAt}`)).toEqual(latestFirst.slice(0, 3));
    expect(await list(`createdBefore=${createdAt}`)).toEqual(latestFirst.slice(3));

    const pages: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await service.request<RunPageView>('GET', `/v1/runs?key=${key}&limit=2${from}`);
      expect(body.runs.length).toBeLessThanOrEqual(2);
      for (const run of body.runs) expect(runListView.strict().safeParse(run).error).toBeUndefined();
      pages.push(...body.runs.map(({ id }) => id));
      cursor = body.nextCursor;
    }
    expect(pages).toEqual(latestFirst);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=ten', 'limit'],
    ['state=done', 'state[0]'],
    ['state=queued,', 'state[1]'],
    ['createdFrom=yesterday', 'createdFrom'],
    ['createdFrom=2026-03-08', 'createdFrom'],
    ['cursor=zzz', 'cursor'],
    ['cursor=', 'cursor'],
    ['offset=5', 'offset'],
    ['__proto__=5', '__proto__'],
  ])('refuses %s', async (query, field) => {
    const { status, body } = await service.request<ProblemBody>('GET', `/v1/runs?${query}`);
    expect([status, body.errors?.[0]?.field]).toEqual([400, field]);
  });

  it('counts them all', async () => {
    const { body } = await service.request<Record<string, number>>('GET', '/v1/runs/counts');
    const { submitted = 0, ...states } = body;
    expect(Object.values(states).reduce((sum, count) => sum + count, 0)).toBe(submitted);
    expect(submitted).toBeGreaterThan(10);
  });
});

describe('POST /v1/runs/batch', () => {
  it('accepts each by itself, in order', async () => {
    const runs = [
      shell('true'),
      { nonsense: 1 },
      shell('true', { idempotencyKey: 'b' }),
      shell('false', { idempotencyKey: 'b' }),
      { script: { path: '/none.py' } },
    ];
    const { status, body } = await service.request<{
      readonly results: readonly { readonly run?: RunView; readonly error?: ProblemBody }[];
    }>('POST', '/v1/runs/batch', { body: { runs } });
    expect(status).toBe(200);
    expect(body.results.map(({ run, error }) => error?.code ?? run?.task)).toEqual([
      'command',
      'BODY_INVALID',
      'command',
      'IDEMPOTENCY_CONFLICT',
      'SCRIPT_NOT_FOUND',
    ]);
    expect(body.results[4]?.error).toMatchObject({ status: 422, errors: [{ field: 'script.path' }] });
  });

  it('takes from 1 to 1000', async () => {
    const ask = async (runs: unknown): Promise<number> =>
      (await service.request('POST', '/v1/runs/batch', { body: { runs } })).status;
    expect([
      await ask([]),
      await ask(Array.from({ length: 1_001 }, () => shell('true'))),
      await ask('all'),
    ]).toEqual([400, 400, 400]);
  });
});
