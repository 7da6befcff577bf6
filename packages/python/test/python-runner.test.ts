import { serviceContract } from '@pawl/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPythonRunner, type PythonRunner } from '../src/index.ts';

const OPTIONS = { maxConcurrent: 2, warm: 1, allowUnsandboxed: true } as const;

describe('the lifecycle of a Python runner', () => {
  for (const { title, run } of serviceContract(() => createPythonRunner(OPTIONS))) it(title, run);

  it.each([
    [{ sandbox: 'none' }, 'Expected `allowUnsandboxed` to be true where `sandbox` is "none".'],
    [{ sandbox: 'chroot' }, /Expected `sandbox` to be one of/],
    [{ warm: 3, maxConcurrent: 2 }, 'Expected `warm` (3) to be at most `maxConcurrent` (2).'],
    [
      { limits: { wallMs: 20_000 } },
      'Expected `limits.wallMs` (20000) to be at most `maxLimits.wallMs` (10000).',
    ],
    [{ limits: { memoryBytes: 1 } }, /Expected `limits.memoryBytes` to be an integer ≥ 67108864, got `1`/],
    [{ timeout: 1 }, /Unknown option `timeout` of createPythonRunner/],
  ])('refuses wrong options: %j', (options, message) => {
    expect(() => createPythonRunner(options as never)).toThrow(message);
  });

  it('refuses to run anything where no sandbox works, and says what would help', async () => {
    await using runner = createPythonRunner({ sandbox: 'bubblewrap', bubblewrap: '/nowhere/bwrap' });
    await expect(runner.execute({ code: '1' })).rejects.toMatchObject({
      code: 'SANDBOX_UNAVAILABLE',
      rejected: [{ kind: 'bubblewrap' }],
      message: expect.stringMatching(/apt-get install bubblewrap.*allowUnsandboxed/s),
    });
  });

  it('looks whether a request may be run without starting anything', () => {
    const runner = createPythonRunner(OPTIONS);
    expect(runner.check({ code: 'print(1)' })).toBeUndefined();
    expect(() => runner.check({ code: 'print(1)', limits: { wallMs: 60_000 } })).toThrow(
      'Expected `limits.wallMs` (60000) to be at most `maxLimits.wallMs` (10000).',
    );
    expect(runner.state).toBe('idle');
  });

  it('runs without a sandbox only when it may, and says what is open', async () => {
    await using runner = createPythonRunner({ ...OPTIONS, sandbox: 'none' });
    const { kind, tier, checks } = await runner.sandboxReport();
    expect([kind, tier]).toEqual(['none', 0]);
    expect(checks.find(({ property }) => property === 'files')?.contained).toBe(false);
    const result = await runner.execute({ code: 'print(6 * 7)' });
    expect(result).toMatchObject({ success: true, output: '42', sandbox: 'none' });
  });

  it('probes its sandbox with limits of its own', async () => {
    const limits = { wallMs: 1_000, memoryBytes: 64 << 20 };
    await using runner = createPythonRunner({ ...OPTIONS, limits, maxLimits: limits });
    const { checks } = await runner.sandboxReport();
    expect(checks.find(({ property }) => property === 'memory')?.contained).toBe(true);
  });

  it('takes another sandbox when the first does not work', async () => {
    await using runner = createPythonRunner({ bubblewrap: '/nowhere/bwrap', allowUnsandboxed: true });
    const { kind, rejected } = await runner.sandboxReport();
    expect(kind).not.toBe('bubblewrap');
    expect(rejected[0]).toMatchObject({ kind: 'bubblewrap', reason: expect.stringContaining('bwrap') });
  });
});

describe('a Python runner', () => {
  let runner: PythonRunner;
  beforeAll(async () => {
    runner = createPythonRunner(OPTIONS);
    await runner.start();
  });
  afterAll(() => runner.stop());

  it('gives what a program printed, and all that there is to say', async () => {
    expect(await runner.execute({ code: 'import sys\nprint("out")\nprint("err", file=sys.stderr)' })).toEqual(
      {
        success: true,
        output: 'out',
        errors: 'err',
        executionTime: expect.any(Number),
        testResult: null,
        status: 'ok',
        exitCode: 0,
        signal: null,
        error: null,
        truncated: { stdout: false, stderr: false },
        usage: { wallMs: expect.any(Number), cpuMs: expect.any(Number), maxRssBytes: expect.any(Number) },
        sandbox: expect.any(String),
      },
    );
  });

  it('shows tracebacks of the program alone, with its lines', async () => {
    const { errors, error, exitCode } = await runner.execute({ code: 'def f():\n    return 1 / 0\n\nf()\n' });
    expect(errors).toContain(
      'Traceback (most recent call last):\n  File "main.py", line 4, in <module>\n    f()',
    );
    expect(errors).not.toMatch(/harness|program\.py/);
    expect(error).toEqual({
      kind: 'other',
      type: 'ZeroDivisionError',
      message: 'division by zero',
      line: 2,
      hint: null,
    });
    expect(exitCode).toBe(1);
  });

  it.each([
    ['assert 1 == 2', 'assertion', 'AssertionError', 1],
    ['x = (1', 'syntax', 'SyntaxError', 1],
    ['if True:\nprint(1)', 'indentation', 'IndentationError', 2],
    ['\nprint(nobody)', 'name', 'NameError', 2],
    ['import nothing_like_this', 'import', 'ModuleNotFoundError', 1],
    ['input()', 'input', 'EOFError', 1],
    ['raise TimeoutError', 'timeout', 'TimeoutError', 1],
  ])('explains to beginners: %j', async (code, kind, type, line) => {
    const { success, error } = await runner.execute({ code });
    expect(success).toBe(false);
    expect(error).toMatchObject({ kind, type, line, hint: expect.stringMatching(/\w{4}/) });
  });

  it('gives the program its input and its files', async () => {
    const code = 'print(input(), input(), open("data/a.txt").read(), open("b.bin", "rb").read())';
    const files = [
      { path: 'data/a.txt', content: 'é' },
      { path: 'b.bin', content: '/w==', encoding: 'base64' },
    ] as const;
    const result = await runner.execute({ code, stdin: 'one\ntwo\n', files });
    expect(result).toMatchObject({ output: "one two é b'\\xff'", errors: null });
  });

  it('says why input() fails when there is none', async () => {
    const { errors } = await runner.execute({ code: 'name = input("? ")' });
    expect(errors).toMatch(/EOFError.*\nThe program asked for input with input\(\)/);
  });

  it('leaves out a main section that would wait for input, and keeps the lines', async () => {
    const code = `def ask():
    return input("name? ")

if __name__ == "__main__":
    print(ask())
    print("a second line")
else:
    pass
print("after", """
if __name__ == "__main__":
    input()
""".count("input"))
1 / 0`;
    const { output, error } = await runner.execute({ code });
    expect(output).toBe('after 1');
    expect(error?.line).toBe(13);
  });

  it('runs a main section that needs no input, or gets some', async () => {
    const quiet = await runner.execute({ code: 'if __name__ == "__main__":\n    print("main")' });
    expect(quiet.output).toBe('main');
    const asked = await runner.execute({
      code: 'if __name__ == "__main__":\n    print(input())',
      stdin: 'x',
    });
    expect(asked.output).toBe('x');
  });

  it.each([
    [
      'wall time',
      'import time; print("so far"); time.sleep(60)',
      { wallMs: 300 },
      'timeout',
      /timed out: it was stopped after 0.3 seconds/,
    ],
    [
      'processor time',
      'print("so far")\nwhile True: pass',
      { cpuMs: 200 },
      'cpu-limit',
      /more than 0.2 seconds of processor time/,
    ],
    [
      'memory',
      'print("so far"); b"x" * (100 << 20)',
      { memoryBytes: 100 << 20 },
      'memory-limit',
      /out of memory: it may use 100 MiB/,
    ],
    [
      'processes',
      'import os\nprint("so far")\nwhile True:\n    if os.fork() == 0: os._exit(0)',
      { processes: 3 },
      'process-limit',
      /too many processes or threads: it may have 3/,
    ],
    [
      'threads',
      'import threading, time\nprint("so far")\nwhile True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()',
      { processes: 3 },
      'process-limit',
      /it may have 3/,
    ],
    [
      'open files',
      'import os\nprint("so far")\nwhile True: os.dup(1)',
      { openFiles: 20 },
      'open-file-limit',
      /too many files: it may have 20/,
    ],
    [
      'file size',
      'print("so far")\nwith open("f", "wb") as file: file.write(bytes(2000))',
      { fileBytes: 1024 },
      'file-size-limit',
      /each may have 1 KiB/,
    ],
    ['output', 'print("so far" * 100)', { outputBytes: 10 }, 'output-limit', /printed more than 10 bytes/],
  ])('ends a program at its limit of %s, and says so', async (_name, code, limits, status, reason) => {
    const result = await runner.execute({ code, limits: { wallMs: 8_000, ...limits } });
    expect(result).toMatchObject({ success: false, status });
    expect(result.errors).toMatch(reason);
    expect(result.output).toMatch(/^so far/);
  });

  it('cuts output between two characters and marks it', async () => {
    const { output, truncated } = await runner.execute({
      code: 'print("é" * 10)',
      limits: { outputBytes: 5 },
    });
    expect(output).toBe('éé\n... (output truncated)');
    expect(truncated).toEqual({ stdout: true, stderr: false });
  });

  it.each([
    [{ code: 7 }, 'code', 'Expected `code` to be a string, got `7` (number).'],
    [{ code: '' }, 'code', 'Expected `code` to be a non-empty string, got `""` (string).'],
    [{ code: 'x'.repeat(50_001) }, 'code', 'Expected `code` to be at most 50000 characters, got 50001.'],
    [
      { code: '1', runTests: true },
      'runTests',
      'Expected `testCode` or `exerciseId` where `runTests` is true, got neither.',
    ],
    [
      { code: '1', runTests: 'yes' },
      'runTests',
      'Expected `runTests` to be true or false, got `"yes"` (string).',
    ],
    [
      { code: '1', testCode: '1', exerciseId: 'a' },
      'exerciseId',
      'Expected either `testCode` or `exerciseId`, got both.',
    ],
    [
      { code: '1', limits: { wallMs: 60_000 } },
      'limits',
      'Expected `limits.wallMs` (60000) to be at most `maxLimits.wallMs` (10000).',
    ],
    [
      { code: '1', limits: { wallMS: 1 } },
      'limits',
      'Unknown option `wallMS` of limits; did you mean `wallMs`?',
    ],
    [
      { code: '1', files: [{ path: '../x', content: '' }] },
      'files[0].path',
      'Expected `files[0].path` to be a relative path of plain names, such as `data/names.csv`, got `"../x"` (string).',
    ],
    [{ code: '1', lang: 'python' }, 'request', /Unknown option `lang` of execute/],
  ])('refuses a wrong request, naming the field: %#', async (request, field, message) => {
    const refused = runner.execute(request as never);
    await expect(refused).rejects.toMatchObject({ field });
    await expect(refused).rejects.toThrow(message);
  });

  it('ends the program when its caller leaves, and serves the next', async () => {
    const left = new AbortController();
    const result = runner.execute({ code: 'import time\ntime.sleep(60)' }, { signal: left.signal });
    const reason = new Error('the client left');
    setTimeout(() => left.abort(reason), 50);
    await expect(result).rejects.toBe(reason);
    expect((await runner.execute({ code: 'print("next")' })).output).toBe('next');
  });

  it('refuses a program that does not begin in time, and tells when one begins', async () => {
    const starts: string[] = [];
    await using single = createPythonRunner({ ...OPTIONS, maxConcurrent: 1 });
    await single.start();
    const busy = single.execute(
      { code: 'import time\ntime.sleep(1)\nprint("done")' },
      { maxWaitMs: 10_000, onStart: () => starts.push('busy') },
    );
    const hurried = single.execute({ code: '1' }, { maxWaitMs: 50, onStart: () => starts.push('hurried') });
    await expect(hurried).rejects.toMatchObject({ code: 'WAIT_TOO_LONG', maxWaitMs: 50 });
    expect(await busy).toMatchObject({ output: 'done' });
    expect(starts).toEqual(['busy']);
    await expect(single.execute({ code: '1' }, { maxWaitMs: -1 })).rejects.toThrow(/`maxWaitMs`/);
  });

  it('stops only after running programs have ended', async () => {
    const other = createPythonRunner({ ...OPTIONS, warm: 0 });
    const result = other.execute({ code: 'import time\ntime.sleep(0.3)\nprint("done")' });
    await expect.poll(() => other.stats()?.running, { timeout: 10_000 }).toBe(1);
    expect(await other.stop({ graceMs: 5_000 })).toEqual({ drained: true, orphaned: [] });
    expect((await result).output).toBe('done');
  });
});

describe.skipIf(process.platform !== 'linux')('a program that computes', () => {
  it('gives way to others once it is no short one any more, with all that it starts', async () => {
    await using runner = createPythonRunner(OPTIONS);
    const code = [
      'import os, time',
      'fresh = os.getpriority(os.PRIO_PROCESS, 0)',
      // Until the worker has looked.
      'while os.getpriority(os.PRIO_PROCESS, 0) == fresh and time.process_time() < 2.5: pass',
      'print(fresh < os.getpriority(os.PRIO_PROCESS, 0), flush=True)',
      'if os.fork() == 0: print(fresh < os.getpriority(os.PRIO_PROCESS, 0))',
      'else: os.wait()',
    ].join('\n');
    expect(await runner.execute({ code, limits: { wallMs: 10_000 } })).toMatchObject({
      output: 'True\nTrue',
    });
  });

  it('has one share of the processor, however many sessions it would make', async () => {
    await using runner = createPythonRunner(OPTIONS);
    const { kind } = await runner.sandboxReport();
    const code =
      'import os\nbefore = os.getsid(0)\nif os.fork() == 0:\n    os.setsid()\n    print(os.getsid(0) == before)\nelse: os.wait()';
    expect((await runner.execute({ code })).output).toBe(kind === 'none' ? 'False' : 'True');
  });
});

describe('the pool of a Python runner', () => {
  it('is there once it is started, and is scaled and recycled', async () => {
    await using runner = createPythonRunner(OPTIONS);
    expect(runner.pool).toBe(undefined);
    await runner.start();
    const { pool } = runner;
    expect(pool).toMatchObject({ minWorkers: 1, maxWorkers: 2 });
    await pool?.scaleTo(2);
    expect(pool).toMatchObject({ size: 2, minWorkers: 2, maxWorkers: 2 });
    const before = pool?.workers().map(({ workerId }) => workerId) ?? [];
    expect(pool?.recycle()).toBe(2);
    const isNew = (): boolean => pool?.workers().every(({ workerId }) => !before.includes(workerId)) ?? false;
    await expect.poll(isNew, { timeout: 10_000 }).toBe(true);
    expect(await runner.execute({ code: 'print(1)' })).toMatchObject({ output: '1' });
    expect(pool?.stats().crashed).toBe(0);
  });
});
