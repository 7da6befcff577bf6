import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_PROC, NO_PYTHON, processesWith, until } from './processes.ts';
import { type Answer, type Service, startService } from './start-service.ts';

const SECRET = 'hunter2-of-the-service';
const MARK = '\n... (output truncated)';
const TIMED_OUT =
  'The program timed out: it was stopped after 3 seconds. ' +
  'It may have an endless loop, or need more time than a program gets here.';

/** Python 3.11 and later point at the part of the line. */
function withoutCarets(errors: string | null): string {
  return (errors ?? '').replaceAll(/^ +[~^]+\n/gm, '');
}

// One service for all: no program may leave anything behind for the next.
describe.skipIf(NO_PYTHON)(`POST /execute runs a Python program${NO_PYTHON}`, () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService({ PAWL_DATABASE_PASSWORD: SECRET, PYTHONPATH: '/nowhere' });
  });
  afterAll(() => service.dispose());

  it('answers the hello world exactly', async () => {
    const response = await service.post({ code: 'print("Hello World")' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.text()).toMatch(
      /^\{"success":true,"output":"Hello World","errors":null,"executionTime":\d+,"testResult":null,"status":"ok",/,
    );
  });

  it('takes `runTests: false`', async () => {
    const response = await service.post({ code: 'print(1)', runTests: false });
    expect(await response.json()).toMatchObject({ success: true, output: '1' });
  });

  describe('runs its tests', () => {
    const add = { code: 'def add(a, b):\n    return a + b' };
    const judge = async (body: object): Promise<Answer> =>
      (await (await service.post(body)).json()) as Answer;

    it('given directly: one case each', async () => {
      const testCode = 'import starter\nassert starter.add(1, 2) == 3\nassert starter.add(1, 1) == 3';
      expect(await judge({ ...add, testCode })).toMatchObject({
        success: false,
        status: 'ok',
        testResult: {
          passed: false,
          testCases: [
            { name: 'starter.add(1, 2) == 3', passed: true },
            { passed: false, expected: '3', actual: '2' },
          ],
        },
      });
    });

    it('of an exercise, unless it is told not to', async () => {
      const greeting = { code: 'print("Hello, World!")', exerciseId: 'greeting' };
      expect(await judge(greeting)).toMatchObject({ success: true, testResult: { passed: true } });
      expect(await judge({ ...greeting, runTests: false })).toMatchObject({ testResult: null });
    });

    it('which it can not skip by ending first, or by words', async () => {
      const testCode = 'import starter\nassert starter.add(1, 2) == 3';
      for (const code of ['import os\nos._exit(0)', 'print("OK: all tests passed")\nraise SystemExit(0)']) {
        expect(await judge({ code, testCode })).toMatchObject({
          success: false,
          testResult: { passed: false },
        });
      }
    });
  });

  it('gives it its input, its files and its limits', async () => {
    const code = 'print(input(), open("data/a.txt").read())\nprint("x" * 100)';
    const body = {
      code,
      stdin: 'in\n',
      files: [{ path: 'data/a.txt', content: 'file' }],
      limits: { outputBytes: 20 },
    };
    expect(await (await service.post(body)).json()).toMatchObject({
      status: 'output-limit',
      output: expect.stringMatching(/^in file\nx/),
    });
  });

  describe('tells how it ended', () => {
    it('by an exception: the traceback of the submitted file alone, and what was printed before', async () => {
      const answer = await service.run('print("before")\n\ndef f():\n    return 1 / 0\n\nf()');
      expect(answer).toMatchObject({ success: false, output: 'before' });
      expect(withoutCarets(answer.errors)).toBe(
        'Traceback (most recent call last):\n' +
          '  File "main.py", line 6, in <module>\n    f()\n' +
          '  File "main.py", line 4, in f\n    return 1 / 0\n' +
          'ZeroDivisionError: division by zero',
      );
    });

    it.each([
      ['a syntax error', 'x = 1\ndef f(:\n  pass', /^ {2}File "main.py", line 2\n[^]*\nSyntaxError: /],
      ['an indentation error', 'if True:\nprint(1)', /line 2\n[^]*\nIndentationError: /],
      ['an unknown name', '\nprint(nmae)', /line 2, in <module>[^]*\nNameError: name 'nmae' is not defined/],
      ['a missing module', 'import nowhere', /ModuleNotFoundError: No module named 'nowhere'$/],
      [
        'a BaseException',
        'class Odd(BaseException): pass\nraise Odd("hi")',
        /line 2[^]*\n(?:__main__\.)?Odd: hi$/,
      ],
      ['a KeyboardInterrupt', 'raise KeyboardInterrupt', /\nKeyboardInterrupt$/],
      [
        'a chain',
        'try:\n  1/0\nexcept Exception as e:\n  raise KeyError(1) from e',
        /line 2[^]*direct cause[^]*line 4/,
      ],
      ['endless recursion', 'def f(): f()\nf()', /repeated \d+ more times\]\nRecursionError: /],
      ['a null byte', 'print(1)\0', /null bytes?$/],
      ['a lone surrogate in its code', 'print("\ud800")', /^UnicodeEncodeError: .*surrogates not allowed$/],
      ['a lone surrogate it prints', 'print("\\ud800")', /line 1[^]*surrogates not allowed$/],
      [
        'an error after it changed its folder',
        'import os\nos.chdir("/")\n1/0',
        /line 3, in <module>\n {4}1\/0\n/,
      ],
      [
        'its own excepthook',
        'import sys\nsys.excepthook = lambda *a: print("mine", file=sys.stderr)\n1/0',
        /^mine$/,
      ],
      [
        'an excepthook that fails',
        'import sys\nsys.excepthook = lambda *a: None.x\n1/0',
        /^Error in sys.excepthook: AttributeError\n[^]*ZeroDivisionError/,
      ],
    ])('by %s, with no frame that is not its own', async (_what, code, errors) => {
      const answer = await service.run(code);
      expect(answer.success).toBe(false);
      expect(answer.errors).toMatch(errors);
      expect(answer.errors).not.toMatch(/run_program|pawl_worker/);
    });

    it.each([
      ['sys.exit()', { success: true, errors: null }],
      ['sys.exit(0)', { success: true, errors: null }],
      ['sys.exit(3)', { success: false, errors: 'The program ended with exit code 3.' }],
      ['sys.exit(-1)', { success: false, errors: 'The program ended with exit code 255.' }],
      ['sys.exit("no more")', { success: false, errors: 'no more' }],
      ['print("why", file=sys.stderr); sys.exit(3)', { success: false, errors: 'why' }],
      ['os._exit(0)', { success: true, errors: null }],
      ['os._exit(4)', { success: false, errors: 'The program ended with exit code 4.' }],
      [
        'os.kill(os.getpid(), 11)',
        { success: false, errors: expect.stringMatching(/^The program was killed by SIGSEGV: /) },
      ],
      ['os.abort()', { success: false, errors: 'The program was killed by SIGABRT.' }],
    ])('by %s', async (ending, expected) => {
      const answer = await service.run(
        `import os, sys\nprint("before", flush=True)\n${ending}\nprint("after")`,
      );
      expect(answer).toMatchObject({ output: 'before', ...expected });
    });

    it('by asking for input, which there is none of', async () => {
      const answer = await service.run('name = input("Name? ")');
      expect(answer).toMatchObject({ success: false, output: 'Name?' });
      expect(withoutCarets(answer.errors)).toBe(
        'Traceback (most recent call last):\n  File "main.py", line 1, in <module>\n    name = input("Name? ")\n' +
          'EOFError: EOF when reading a line\nThe program asked for input with input(), and there was none (left). Give it input, or do without.',
      );
    });
  });

  describe('ends it as an interpreter would', () => {
    const registered = 'import atexit, sys, threading, time\natexit.register(print, "exit function")\n';
    const thread = 'threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()\n';

    it.each([
      ['at its end', 'print("main")', true],
      ['after sys.exit', 'print("main"); sys.exit(2)', false],
      ['after an exception', 'print("main"); 1/0', false],
    ])('waits for threads, then runs exit functions, %s', async (_when, last, success) => {
      const answer = await service.run(`${registered}${thread}${last}`);
      expect(answer).toMatchObject({ success, output: 'main\nthread\nexit function' });
    });

    it('ends the threads of an executor that nobody shut down', async () => {
      const code = 'from concurrent.futures import ThreadPoolExecutor as T\nT(2).submit(print, "done")';
      expect(await service.run(code)).toMatchObject({ success: true, output: 'done' });
    });

    it('prints what fails in an exit function, which is no failure of the program', async () => {
      const answer = await service.run('import atexit\natexit.register(lambda: 1/0)');
      expect(answer.success).toBe(true);
      expect(answer.errors).toMatch(/ZeroDivisionError: division by zero$/);
    });

    it('does not wait for a daemon thread that prints for ever', async () => {
      const code =
        'import threading\ndef f():\n  while True: print("x")\nthreading.Thread(target=f, daemon=True).start()';
      expect(await service.run(code)).toMatchObject({ success: true, errors: null });
    });
  });

  it('is a main module like any other', async () => {
    const code = [
      'import pickle, sys, __main__',
      'class A: pass',
      'print(__name__, __file__, sys.argv, __doc__, __builtins__.__name__, __main__.A is A)',
      'print(type(pickle.loads(pickle.dumps(A()))) is A, sys.path[0] == __import__("os").getcwd())',
      'if __name__ == "__main__": print("as main")',
    ].join('\n');
    expect((await service.run(code)).output).toBe(
      "__main__ main.py ['main.py'] None builtins True\nTrue True\nas main",
    );
  });

  it('survives one that takes its own streams away', async () => {
    const results = await Promise.all(
      [
        'import sys\nsys.stdout.close()\nsys.stderr.close()',
        'import sys\nsys.stdout = sys.stderr = None',
        'import os\nprint("x", flush=True)\nos.closerange(0, 1000)',
      ].map((code) => service.run(code)),
    );
    expect(results).toMatchObject([{ success: true }, { success: true }, { output: 'x' }]);
  });

  describe('gives its output', () => {
    it('as it is, unicode included', async () => {
      const text = 'naïve café — 日本 😀 \u{1F468}\u200D\u{1F469}';
      expect(await service.run(`print("${text}")\nprint("tail  \\n\\n")`)).toMatchObject({
        output: `${text}\ntail`,
      });
    });

    it('with replacements for bytes that are no UTF-8', async () => {
      const code = String.raw`import sys; sys.stdout.buffer.write(b"a\xff\xc3\xa9\xe2\x82b")`;
      expect(await service.run(code)).toMatchObject({ success: true, output: 'a\ufffdé\ufffdb' });
    });

    it('cut at 512 KiB of UTF-8, at a character boundary, with a mark', async () => {
      // An odd byte first, so that the limit goes through a character.
      const answer = await service.run('print("a" + "é" * 2_600_000)');
      expect(answer).toMatchObject({ success: false, status: 'output-limit' });
      expect(answer.output).toBe(`a${'é'.repeat(262_143)}${MARK}`);
    });

    it('on stderr cut in the same way, with the reason behind it', async () => {
      const answer = await service.run('import sys\nsys.stderr.write("e" * 600_000)');
      expect(answer.errors).toBe(
        `${'e'.repeat(524_288)}${MARK}\nThe program was stopped: it printed more than 512 KiB.`,
      );
    });
  });

  describe('keeps it apart', () => {
    it('from the environment of the service', async () => {
      const { output } = await service.run(
        'import os\nfor name in sorted(os.environ): print(f"{name}={os.environ[name]}")',
      );
      expect(output).not.toContain(SECRET);
      expect(output).not.toMatch(/^(PAWL|NODE|npm|PYTHONPATH|VITEST)/m);
      expect(output).toMatch(/^PATH=/m);
    });

    it('in a folder of its own, which has nothing in it but the program', async () => {
      const code =
        'import os, tempfile\nprint(os.getcwd() == tempfile.gettempdir() == os.path.expanduser("~"), os.listdir())\nopen("x", "w").close()';
      const answers = [await service.run(code), await service.run(code)];
      expect(answers.map(({ output }) => output)).toEqual(["True ['main.py']", "True ['main.py']"]);
    });

    it('from the program before', async () => {
      const leave =
        'import builtins, os, sys\nbuiltins.left = 1\nos.environ["LEFT"] = "1"\nopen("left", "w").close()';
      const look =
        'import builtins, os, sys\nprint(hasattr(builtins, "left"), "LEFT" in os.environ, os.path.exists("left"))';
      for (let round = 0; round < 3; round += 1) {
        await service.run(leave);
        expect((await service.run(look)).output).toBe('False False False');
      }
    });
  });

  it('answers 30 at once, good and bad, each rightly', async () => {
    const kinds: readonly ((n: number) => [code: string, expected: Partial<Answer>])[] = [
      (n) => [`print(${n} * 2)`, { success: true, output: String(n * 2), errors: null }],
      (n) => [`print(${n}); raise SystemExit(${n + 1})`, { success: false, output: String(n) }],
      (n) => [`import os; print(${n}, flush=True); os._exit(0)`, { success: true, output: String(n) }],
      (n) => [
        `import os; print(${n}, flush=True); os.kill(os.getpid(), 9)`,
        { success: false, output: String(n) },
      ],
      (n) => [`print(${n}) if True else (`, { success: false, output: '' }],
    ];
    const cases = Array.from({ length: 30 }, (_, n) => kinds[n % kinds.length]?.(n) ?? ['', {}]);
    const answers = await Promise.all(cases.map(([code]) => service.run(code as string)));
    expect(answers).toMatchObject(cases.map(([, expected]) => expected));
  });

  describe.concurrent('stops it after 3 seconds, in words', () => {
    it.each([
      ['an endless loop', 'print("before", flush=True)\nwhile True: pass'],
      ['a sleep', 'import time\nprint("before", flush=True)\ntime.sleep(600)'],
      [
        'a thread that never ends',
        'import threading, time\nprint("before")\nthreading.Thread(target=time.sleep, args=(600,)).start()',
      ],
      ['one that stops itself', 'import os\nprint("before", flush=True)\nos.kill(os.getpid(), 19)'],
      [
        'one that catches everything and ignores SIGTERM',
        [
          'import signal',
          'print("before", flush=True)',
          'for number in range(1, 65):',
          '  try: signal.signal(number, signal.SIG_IGN)',
          '  except Exception: pass',
          'while True:',
          '  try:',
          '    while True: pass',
          '  except BaseException: pass',
        ].join('\n'),
      ],
    ])('%s', { timeout: 30_000 }, async (_what, code) => {
      const startedAt = performance.now();
      const answer = await service.run(code);
      expect(answer).toMatchObject({ success: false, output: 'before', errors: TIMED_OUT });
      expect(answer.executionTime).toBeGreaterThanOrEqual(2_990);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
    });

    /** A command that this test finds again, from outside of the sandbox. */
    const grandchild = (): string => `sleep ${600 + Math.random()}`;

    it.skipIf(NO_PROC)(
      `with the grandchild that holds its pipes${NO_PROC}`,
      { timeout: 30_000 },
      async () => {
        const command = grandchild();
        const answer = service.run(
          `import subprocess\nsubprocess.Popen("trap '' TERM; ${command}", shell=True)\nwhile True: pass`,
        );
        await until('the grandchild runs', () => processesWith(command).length > 0);
        expect((await answer).errors).toBe(TIMED_OUT);
        await until('the grandchild is gone', () => processesWith(command).length === 0, 5_000);
      },
    );

    it.skipIf(NO_PROC)(
      `and leaves no grandchild of one that ended${NO_PROC}`,
      { timeout: 30_000 },
      async () => {
        const command = grandchild();
        const code = `import subprocess, time\nsubprocess.Popen("${command}".split(), start_new_session=True)\ntime.sleep(1)`;
        const answer = service.run(code);
        await until('the grandchild runs', () => processesWith(command).length > 0);
        expect(await answer).toMatchObject({ success: true });
        await until('the grandchild is gone', () => processesWith(command).length === 0, 5_000);
      },
    );
  });

  it('leaves nothing in the log, and no folder but those of the service', () => {
    const kinds = readdirSync(service.folder).map((name) => name.replace(/-\w+$/, ''));
    expect(['pawl-python', 'pawl-spawn']).toEqual(expect.arrayContaining(kinds));
    expect(kinds).toHaveLength(new Set(kinds).size);
    expect(service.stderr()).toBe('');
    expect(service.stdout()).toMatch(/^Pawl listens on [^\n]+\n$/);
  });
});
