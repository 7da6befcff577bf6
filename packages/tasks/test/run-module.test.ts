import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createManualClock } from '@pawl/core/testing';
import { createProcessManager } from '@pawl/runtime';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ModuleCancelledError, ModuleTimeoutError } from '../src/patterns/module-errors.ts';
import { runModule } from '../src/patterns/run-module.ts';
import { endAtLast, isAlive } from './setup-processes.ts';
import { setupScripts } from './setup-scripts.ts';

const FAMILY = new URL('fixtures/family.sh', import.meta.url);

const FLOOD_HOST = fileURLToPath(new URL('fixtures/flood-host.mjs', import.meta.url));

const HELLO = {
  'hello.py':
    'import sys, os\nprint("hällo", *sys.argv[1:], os.environ["GREETING"])\nprint("oops ✗", file=sys.stderr)\nsys.exit(int(sys.argv[1]))',
  'hello.mjs':
    'console.log("hällo", ...process.argv.slice(2), process.env.GREETING); console.error("oops ✗"); process.exitCode = Number(process.argv[2]);',
  'hello.cjs':
    'console.log("hällo", ...process.argv.slice(2), process.env.GREETING); console.error("oops ✗"); process.exitCode = Number(process.argv[2]);',
  'hello.sh': 'echo "hällo $* $GREETING"; echo "oops ✗" >&2; exit $1',
};

describe('runModule', () => {
  it.each(Object.entries(HELLO))(
    'runs %s, with its arguments, environment and exit code',
    async (name, code) => {
      const { script } = setupScripts();
      const path = script(name, code);
      const results = await Promise.all([
        runModule(path, ['0', 'ünï  code'], { env: { GREETING: 'hi' } }),
        runModule(pathToFileURL(path), ['3'], { env: { GREETING: 'hi' } }),
      ]);
      expect(results).toMatchObject([
        { exitCode: 0, signal: null, stdout: 'hällo 0 ünï  code hi\n', stderr: 'oops ✗\n' },
        { exitCode: 3, signal: null, stdout: 'hällo 3 hi\n', omittedBytes: { stdout: 0, stderr: 0 } },
      ]);
      expect(results[0].pid).toBeGreaterThan(0);
      expect(results[0].durationMs).toBeGreaterThan(0);
    },
  );

  it('runs in the folder it is told', async () => {
    const { script, folder } = setupScripts();
    expect((await runModule(script('where.sh', 'pwd'), [], { cwd: folder })).stdout).toBe(`${folder}\n`);
    expect((await runModule(script('where.sh', 'pwd'))).stdout).toBe(`${process.cwd()}\n`);
  });

  it('hands over no secret of the host', async () => {
    const { script } = setupScripts();
    process.env['PAWL_TEST_SECRET'] = 'hunter2';
    onTestFinished(() => void delete process.env['PAWL_TEST_SECRET']);
    const path = script('secret.sh', 'echo "[$PAWL_TEST_SECRET]"');
    expect((await runModule(path)).stdout).toBe('[]\n');
    expect((await runModule(path, [], { inheritEnv: ['PAWL_TEST_SECRET'] })).stdout).toBe('[hunter2]\n');
  });

  it('finds out how to run a script', async () => {
    const { script } = setupScripts();
    const tool = script('tool', '#!/bin/sh\necho "itself $1"', 0o755);
    const named = script('named', '#!/usr/bin/env -S sh -u\necho "by its first line $1"');
    const odd = script('odd.txt', 'echo "as told $1"');
    expect((await runModule(tool, ['a'])).stdout).toBe('itself a\n');
    expect((await runModule(named, ['b'])).stdout).toBe('by its first line b\n');
    expect((await runModule(odd, ['c'], { interpreter: 'sh' })).stdout).toBe('as told c\n');
  });

  it('says what is wrong before it starts anything', async () => {
    const { script, folder } = setupScripts();
    const missing = join(folder, 'missing.py');
    await expect(runModule(missing)).rejects.toMatchObject({
      code: 'SCRIPT_NOT_FOUND',
      scriptPath: missing,
      message: `Can't run the script ${missing}: there is no such file.`,
    });
    await expect(runModule(folder)).rejects.toMatchObject({ code: 'SCRIPT_NOT_FOUND', scriptPath: folder });
    await expect(runModule(script('notes', 'just text'))).rejects.toMatchObject({
      code: 'SCRIPT_NOT_EXECUTABLE',
    });
    await expect(runModule(script('ok.sh', ''), [], { cwd: join(folder, 'nowhere') })).rejects.toMatchObject({
      code: 'PROCESS_START_FAILED',
      fault: 'bad-cwd',
      field: 'cwd',
    });
    await expect(runModule(missing, [], { timeoutMs: -1 })).rejects.toThrow('Expected `timeoutMs`');
    await expect(runModule(missing, [], { timeout: 1 } as never)).rejects.toThrow(
      'did you mean `timeoutMs`?',
    );
    await expect(runModule(missing, 'x' as never)).rejects.toThrow(
      'Expected `args` to be an array of strings',
    );
    await expect(runModule(missing, [], { mode: 'remote' as never })).rejects.toThrow(
      'Expected `mode` to be one of',
    );
  });

  it('tells how to get an interpreter that is missing', async () => {
    const { script } = setupScripts();
    const path = script('job.py', '');
    await expect(runModule(path, [], { interpreter: 'python3.99' })).rejects.toMatchObject({
      code: 'INTERPRETER_NOT_FOUND',
      interpreter: 'python3.99',
      hint: expect.stringContaining('Install Python 3.8 or later') as string,
    });
    const ruby = script('job', '#!/no/such/ruby\n', 0o755);
    await expect(runModule(ruby)).rejects.toMatchObject({
      code: 'INTERPRETER_NOT_FOUND',
      interpreter: '/no/such/ruby',
      hint: 'Install `ruby` and put it in `PATH`, or name another one with `interpreter`.',
    });
    await expect(runModule(path, [], { interpreter: script('tool', '') })).rejects.toMatchObject({
      code: 'SCRIPT_NOT_EXECUTABLE',
      message: expect.stringContaining('may not be executed') as string,
    });
  });

  it('takes whatever is printed: invalid UTF-8, no line end, a very long line, nothing', async () => {
    const { script } = setupScripts();
    const bytes = script('bytes.sh', String.raw`printf 'a\377b\0c\303'`);
    expect((await runModule(bytes)).stdout).toBe('a\uFFFDb\0c\uFFFD');
    const long = script('long.sh', `head -c 10000000 /dev/zero | tr '\\0' x; echo; printf end`);
    const { stdout } = await runModule(long, [], { maxOutputBytes: 20_000_000 });
    expect([stdout.length, stdout.endsWith('x\nend')]).toEqual([10_000_004, true]);
    expect(await runModule(script('quiet.sh', ''))).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('reads both streams at once, each in its order', async () => {
    const { script } = setupScripts();
    const path = script(
      'both.mjs',
      'import { writeSync } from "node:fs"; for (let i = 0; i < 20000; i++) { writeSync(1, `out ${i}\\n`); writeSync(2, `err ${i}\\n`); }',
    );
    const lines = { stdout: [] as string[], stderr: [] as string[] };
    const { stdout, stderr } = await runModule(path, [], {
      onLine: (line, stream) => lines[stream].push(line),
    });
    const expected = (name: string) => Array.from({ length: 20_000 }, (_, index) => `${name} ${index}`);
    expect(stdout === `${expected('out').join('\n')}\n`).toBe(true);
    expect(stderr === `${expected('err').join('\n')}\n`).toBe(true);
    expect(lines).toEqual({ stdout: expected('out'), stderr: expected('err') });
  });

  it('bears 1 GB of output, of which it keeps the beginning and the end', () => {
    const { script } = setupScripts();
    const path = script('flood.sh', 'echo begin; head -c "$1" /dev/zero; echo end');
    const sizes = [300_000_000, 2 ** 30, 100_000].map(String);
    const host = spawnSync(process.execPath, [FLOOD_HOST, path, ...sizes], { encoding: 'utf8' });
    const { stdout, omittedBytes, grownMegabytes } = JSON.parse(host.stdout) as {
      readonly stdout: string;
      readonly omittedBytes: { readonly stdout: number };
      readonly grownMegabytes: number;
    };
    expect([stdout.startsWith('begin\n'), stdout.endsWith('end\n')]).toEqual([true, true]);
    expect(omittedBytes.stdout).toBe(2 ** 30 + 10 - 100_000);
    expect(stdout).toContain(`\n[${omittedBytes.stdout} bytes left out]\n`);
    expect(grownMegabytes).toBeLessThan(30);
  });

  it('gives lines while the script runs, and the unfinished last one', async () => {
    const { script, folder } = setupScripts();
    const path = script(
      'ping.py',
      `import time, os\nprint("ready")\nwhile not os.path.exists("go"): time.sleep(0.01)\nprint("done", end="")`,
    );
    const lines: string[] = [];
    const { script: goes } = { script };
    await runModule(path, [], {
      cwd: folder,
      onLine(line) {
        lines.push(line);
        // Python holds nothing back, or this would wait for ever.
        if (line === 'ready') goes('go', '');
      },
    });
    expect(lines).toEqual(['ready', 'done']);
  });

  it('ends a script whose output nobody can take', async () => {
    const { script } = setupScripts();
    let pid = 0;
    const running = runModule(script('forever.sh', 'echo $$; exec sleep 300'), [], {
      onLine(line) {
        pid = Number(line);
        throw new Error('the listener is broken');
      },
    });
    await expect(running).rejects.toThrow('the listener is broken');
    expect(isAlive(pid)).toBe(false);
  });

  it('leaves no grandchild behind, not even one in a session of its own', async () => {
    const { script } = setupScripts();
    const path = script('daemon.sh', 'setsid sleep 300 >/dev/null 2>&1 & echo $!; sleep 300 & echo $!');
    const { stdout, exitCode } = await runModule(path);
    const pids = stdout.trim().split('\n').map(Number);
    for (const pid of pids) endAtLast(pid);
    expect([exitCode, pids.length, pids.filter(isAlive)]).toEqual([0, 2, []]);
  });

  it.each([
    ['is silent', 'sleep 300 & echo $!; echo end'],
    ['never stops printing', 'yes & echo $!; echo end'],
  ])('does not wait for a grandchild that holds the pipe and %s', async (_how, code) => {
    const { script } = setupScripts();
    const processes = createProcessManager({ spawnHelper: false });
    const { stdout } = await runModule(script('daemon.sh', code), [], {
      // To a manager that lets it live.
      processes: { spawn: (config) => processes.spawn({ ...config, descendants: 'keep' }) },
    });
    const pid = Number(/^\d+$/m.exec(stdout)?.[0]);
    endAtLast(pid);
    expect(stdout).toContain('end\n');
    await processes.stop();
  });

  it('does not start when it is cancelled before', async () => {
    const { script, folder } = setupScripts();
    const path = script('touch.sh', 'touch started');
    const reason = new Error('never mind');
    const error: unknown = await runModule(path, [], {
      cwd: folder,
      signal: AbortSignal.abort(reason),
    }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModuleCancelledError);
    expect(error).toMatchObject({ code: 'RUN_CANCELLED', end: undefined, cause: reason });
    expect(existsSync(join(folder, 'started'))).toBe(false);
  });

  it.each(['polite', 'stubborn'])(
    'is cancelled with all it started, and keeps its words: %s',
    async (how) => {
      const controller = new AbortController();
      const pids: number[] = [];
      const error: unknown = await runModule(FAMILY, [how], {
        signal: controller.signal,
        graceMs: 200,
        onLine(line) {
          const pid = Number(line.split(' ')[1]);
          endAtLast(pid);
          if (pids.push(pid) === 3) controller.abort(new Error('enough'));
        },
      }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'RUN_CANCELLED', cause: { message: 'enough' } });
      expect(error).toMatchObject({
        end: { stdout: expect.stringContaining('self ') as string, exitCode: null },
      });
      expect((error as ModuleCancelledError).end?.signal).toBe(how === 'polite' ? 'SIGTERM' : 'SIGKILL');
      expect([pids.length, pids.filter(isAlive)]).toEqual([3, []]);
    },
  );

  it('is cancelled while it starts', async () => {
    const { script } = setupScripts();
    const controller = new AbortController();
    const processes = createProcessManager({ spawnHelper: false });
    const running = runModule(script('forever.sh', 'exec sleep 300'), [], {
      signal: controller.signal,
      processes: {
        spawn: (config) => {
          const starting = processes.spawn(config);
          controller.abort();
          return starting;
        },
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'RUN_CANCELLED', end: { exitCode: null } });
    expect(processes.list()).toEqual([]);
    await processes.stop();
  });

  it('is not touched by a cancel after its end', async () => {
    const { script } = setupScripts();
    const controller = new AbortController();
    const result = await runModule(script('ok.sh', 'echo ok'), [], { signal: controller.signal });
    controller.abort();
    expect(result.stdout).toBe('ok\n');
  });

  it('that takes too long is ended', async () => {
    const { script } = setupScripts();
    const clock = createManualClock();
    const error: unknown = await runModule(script('forever.sh', 'echo working; exec sleep 300'), [], {
      timeoutMs: 60_000,
      clock,
      onLine: () => void clock.advance(60_000),
    }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModuleTimeoutError);
    expect(error).toMatchObject({
      code: 'RUN_TIMEOUT',
      timeoutMs: 60_000,
      end: { stdout: 'working\n', signal: 'SIGTERM' },
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells of a script that kills itself', async () => {
    const { script } = setupScripts();
    expect(await runModule(script('bang.sh', 'kill -SEGV $$'))).toMatchObject({
      exitCode: null,
      signal: 'SIGSEGV',
    });
  });
});

describe('the run modes', () => {
  it('dry-run logs the command and prints it, and starts nothing', async () => {
    const { script, folder } = setupScripts();
    const path = script('touch.sh', 'touch started');
    const logged: string[] = [];
    const note = (_fields: object | string, message?: string): void => void logged.push(message ?? '');
    const logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
    const result = await runModule(path, ["it's", 'a'], { mode: 'dry-run', cwd: folder, logger });
    expect(result).toMatchObject({ exitCode: 0, pid: -1, stderr: '' });
    expect(result.stdout).toBe(`dry-run: sh ${path} 'it'\\''s' a\n`);
    expect(logged).toEqual([`Dry run: sh ${path} 'it'\\''s' a`]);
    expect(existsSync(join(folder, 'started'))).toBe(false);
    await expect(runModule(join(folder, 'missing.sh'), [], { mode: 'dry-run' })).rejects.toMatchObject({
      code: 'SCRIPT_NOT_FOUND',
    });
  });

  it.each(['threaded', 'local'] as const)('%s runs JavaScript in this process', async (mode) => {
    const { script } = setupScripts();
    for (const name of ['hello.mjs', 'hello.cjs'] as const) {
      const path = script(name, `${HELLO[name]}\n`);
      for (const code of ['0', '3']) {
        const result = await runModule(path, [code, 'ü'], { mode, env: { GREETING: 'hi' } });
        expect(result).toMatchObject({ exitCode: Number(code), pid: process.pid, stderr: 'oops ✗\n' });
        expect(result.stdout).toBe(`hällo ${code} ü hi\n`);
      }
    }
    expect(process.env['GREETING']).toBeUndefined();
  });

  it.each(['threaded', 'local'] as const)('%s takes an exit and an error as a process does', async (mode) => {
    const { script } = setupScripts();
    const exits = script('exits.mjs', 'console.log("bye"); process.exit(7); console.log("never");');
    expect(await runModule(exits, [], { mode })).toMatchObject({ exitCode: 7, stdout: 'bye\n' });
    const fails = script('fails.mjs', 'console.log("so far"); await null; throw new Error("no table");');
    const result = await runModule(fails, [], { mode });
    expect(result).toMatchObject({ exitCode: 1, stdout: 'so far\n' });
    expect(result.stderr).toContain('Error: no table');
  });

  it.each(['threaded', 'local'] as const)('%s runs other programs as processes', async (mode) => {
    const { script } = setupScripts();
    const result = await runModule(script('who.sh', 'echo $$'), [], { mode });
    expect(Number(result.stdout)).toBe(result.pid);
    expect(result.pid).not.toBe(process.pid);
  });

  it('threaded is cancelled even in an endless loop, and needs a process for a folder of its own', async () => {
    const { script, folder } = setupScripts();
    const controller = new AbortController();
    const running = runModule(
      script('loop.mjs', 'process.stdout.write("on\\n"); await new Promise(setImmediate); for (;;);'),
      [],
      {
        mode: 'threaded',
        signal: controller.signal,
        onLine: () => controller.abort(),
      },
    );
    await expect(running).rejects.toMatchObject({ code: 'RUN_CANCELLED', end: { stdout: 'on\n' } });
    const where = script('where.mjs', 'console.log(process.cwd())');
    const result = await runModule(where, [], { mode: 'threaded', cwd: folder });
    expect(result.stdout).toBe(`${folder}\n`);
    expect(result.pid).not.toBe(process.pid);
  });

  it('local gives everything back, one at a time', async () => {
    const { script, folder } = setupScripts();
    const before = {
      argv: process.argv,
      cwd: process.cwd(),
      write: process.stdout.write.bind(process.stdout),
    };
    const path = script(
      'slow.mjs',
      'import { writeFileSync } from "node:fs"; writeFileSync("made", process.cwd()); await new Promise((r) => setTimeout(r, 5)); console.log(process.argv[2]);',
    );
    const results = await Promise.all(
      ['a', 'b', 'c'].map((name) => runModule(path, [name], { mode: 'local', cwd: folder })),
    );
    expect(results.map(({ stdout }) => stdout)).toEqual(['a\n', 'b\n', 'c\n']);
    expect(readFileSync(join(folder, 'made'), 'utf8')).toBe(folder);
    expect([process.argv, process.cwd(), typeof before.write]).toEqual([before.argv, before.cwd, 'function']);
  });
});
