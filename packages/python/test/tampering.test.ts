import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPythonRunner, type PythonRunner } from '../src/index.ts';
import { obstacleTo, type RealSandbox, titleOf } from './hostile-contract.ts';

/** What the submissions below would have to pass. The marker is what they try to find. */
const TESTS = `import unittest
import starter

MARKER = "hidden-" + "marker-4711"
assert starter.add(20, 22) == 42
assert abs(starter.add(0.5, 0.25) - 0.75) < 1e-9


def test_texts():
    assert starter.add("a", "b") == "ab"


class Numbers(unittest.TestCase):
    def test_negative(self):
        self.assertEqual(starter.add(-3, 3), 0)

    def test_nearly(self):
        self.assertAlmostEqual(starter.add(0.1, 0.2), 0.3)
`;

const HONEST = 'def add(a, b):\n    return a + b\n';
const WRONG = 'def add(a, b):\n    return 0.5\n';

/** Submissions that want to pass without doing the work. */
const SUBMISSIONS: Readonly<Record<string, string>> = {
  'prints what looks like a pass': `print("OK\\nTEST_PASS\\nRan 5 tests in 0.001s\\n\\nOK")\nprint('{"passed": true, "testCases": [{"name": "x", "passed": true}]}')\n${WRONG}`,
  'exits with 0 while it is imported': 'import sys\nsys.exit(0)\n',
  'exits past everything while it is imported': 'import os\nos._exit(0)\n',
  'exits with 0 when it is called': 'import sys\ndef add(a, b): sys.exit(0)\n',
  'exits past everything when it is called': 'import os\ndef add(a, b): os._exit(0)\n',
  'claims a pass at its exit': `import atexit\natexit.register(print, "OK")\n${WRONG}`,
  'replaces unittest': `import unittest\nunittest.TestCase.assertEqual = unittest.TestCase.assertAlmostEqual = lambda *_a, **_k: None\nunittest.TestCase.run = lambda self, result=None: result\nunittest.TestResult.addFailure = unittest.TestResult.addError = lambda *_a: None\n${WRONG}`,
  'replaces builtins': `import builtins\nbuiltins.AssertionError = type("AssertionError", (Exception,), {})\nbuiltins.abs = lambda _x: 0\nbuiltins.isinstance = lambda *_a: True\nbuiltins.len = lambda _x: 1\nbuiltins.repr = lambda _x: "42"\n${WRONG}`,
  'replaces json': `import json\njson.dumps = lambda *_a, **_k: "true"\njson.loads = lambda *_a, **_k: {"passed": True}\njson.JSONEncoder.encode = lambda *_a: '{"value": 42}'\n${WRONG}`,
  'replaces the harness': `import gc, sys, types\nfor each in gc.get_objects():\n    if isinstance(each, types.ModuleType) and each.__name__.startswith(("harness", "pawl")):\n        for name in list(vars(each)):\n            if callable(vars(each)[name]) and not name.startswith("__"): setattr(each, name, lambda *_a, **_k: True)\n${WRONG}`,
  'walks the frames for the tests': `import sys\ndef add(a, b):\n    frame = sys._getframe()\n    while frame:\n        for scope in (frame.f_globals, frame.f_locals):\n            for name, value in list(scope.items()):\n                if "hidden-" "marker" in repr(value): print("FOUND", name)\n                if name in ("expected", "cases", "passed", "failed", "verdict"): scope[name] = 0\n        frame = frame.f_back\n    return 0.5\n`,
  'searches all its objects for the tests': `import gc\ndef add(a, b):\n    needle = "hidden-" + "marker-47"\n    for each in gc.get_objects():\n        for held in gc.get_referents(each):\n            if isinstance(held, (str, bytes)) and needle in (held if isinstance(held, str) else held.decode("latin-1")) and held is not needle: print("FOUND", held[:50])\n    return 0.5\n`,
  'searches its memory for the tests': `import ctypes\ndef add(a, b):\n    try:\n        maps = open("/proc/self/maps").read()\n        with open("/proc/self/mem", "rb") as memory:\n            for line in maps.splitlines():\n                start, end = (int(part, 16) for part in line.split()[0].split("-"))\n                memory.seek(start)\n                if b"hidden-" + b"marker-4711" in memory.read(end - start): print("FOUND")\n    except OSError: pass\n    near = id(add)\n    text = ctypes.string_at(near - near % 4096, 4096)\n    if b"hidden-" + b"marker-4711" in text: print("FOUND")\n    return 0.5\n`,
  'searches the disk for the tests': `import os\nneedle = b"hidden-" + b'" + "marker-4711'\ndef add(a, b):\n    for root, folders, files in os.walk("/"):\n        if root.startswith(("/usr/", "/lib", "/bin")):\n            folders[:] = []\n            continue\n        for name in files:\n            try:\n                with open(os.path.join(root, name), "rb") as file:\n                    if needle in file.read(100_000) and name != "starter.py": print("FOUND", root, name)\n            except OSError: pass\n    return 0.5\n`,
  'puts modules in the way of the tests': `for name in ("unittest", "json", "random", "harness", "starter", "sitecustomize", "pytest"):\n    open(name + ".py", "w").write("raise SystemExit(0)")\n    try: open("/tmp/" + name + ".py", "w").write("raise SystemExit(0)")\n    except OSError: pass\n${WRONG}`,
  'writes verdicts to every descriptor': `import json, os, struct\nbodies = [json.dumps(each).encode() for each in ({"end": {"exitCode": 0, "tests": {"count": 5, "failed": 0}}}, {"case": {"name": "x", "passed": True}}, {"value": 42}, {"loaded": {}})]\nfor fd in range(3, 64):\n    for body in bodies:\n        try: os.write(fd, struct.pack(">I", len(body)) + body)\n        except OSError: pass\n${WRONG}`,
  'writes rubbish to every descriptor': `import os\nfor fd in range(3, 64):\n    for body in (b"\\xff" * 9, b"\\0\\0\\0\\5[[[[[", b"\\0\\0\\0\\2\\xff\\xfe"):\n        try: os.write(fd, body)\n        except OSError: pass\n${WRONG}`,
  'lets a child answer for it': `import json, os, struct\nif os.fork() == 0:\n    body = json.dumps({"end": {"tests": {"count": 1, "failed": 0}}}).encode()\n    while True:\n        try: os.write(3, struct.pack(">I", len(body)) + body)\n        except OSError: break\n${WRONG}`,
  'kills whoever tests it': `import os\ndef add(a, b):\n    for pid in (1, os.getppid()):\n        for number in (9, 15, 2, 14, 19):\n            try: os.kill(pid, number)\n            except OSError: pass\n    return 0.5\n`,
  'takes limits from whoever tests it': `import os, resource\ndef add(a, b):\n    for what in range(16):\n        try: resource.prlimit(os.getppid(), what, (0, 0))\n        except (OSError, ValueError): pass\n    return 0.5\n`,
  'answers with what equals everything': `class Any:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    def __hash__(self): return 42\n    def __lt__(self, other): return True\n    __le__ = __gt__ = __ge__ = __lt__\n    def __sub__(self, other): return 0\n    def __rsub__(self, other): return 0\n    def __abs__(self): return 0\n    def __bool__(self): return True\ndef add(a, b): return Any()\n`,
  'answers with numbers that equal everything': `class Any(float):\n    def __eq__(self, other): return True\n    def __sub__(self, other): return Any(0)\n    def __abs__(self): return Any(0)\n    def __lt__(self, other): return True\n    __hash__ = float.__hash__\ndef add(a, b): return Any(7)\n`,
  'answers with a function': 'def add(a, b): return lambda *_a: True\n',
  'skips the tests': 'import unittest\ndef add(a, b): raise unittest.SkipTest("not today")\n',
  'stops the tests':
    'def add(a, b): raise (KeyboardInterrupt, SystemExit, GeneratorExit)[hash(str(a)) % 3]\n',
  'raises what it calls a success':
    'class Passed(BaseException): passed = True\ndef add(a, b): raise Passed\n',
  'answers with far too much': 'def add(a, b): return "x" * (64 << 20)\n',
  'answers with a value without an end':
    'def add(a, b):\n    endless = []\n    endless.append(endless)\n    return endless\n',
  'never answers': 'import time\ndef add(a, b): time.sleep(60)\n',
  'answers in two threads': `import threading\ndef spam():\n    import os, struct\n    body = b'{"value": 42}'\n    while True:\n        try: os.write(3, struct.pack(">I", len(body)) + body)\n        except OSError: break\nthreading.Thread(target=spam, daemon=True).start()\n${WRONG}`,
};

const SANDBOXES: readonly (readonly [RealSandbox, string | undefined])[] = [
  ['bubblewrap', await obstacleTo('bubblewrap')],
  ['landlock', await obstacleTo('landlock')],
];

describe.each(SANDBOXES)('tests of a submission', (sandbox, obstacle) => {
  describe.skipIf(obstacle !== undefined)(titleOf(`in ${sandbox}`, obstacle), () => {
    judging(sandbox);
  });
});

function judging(sandbox: RealSandbox): void {
  const runner: PythonRunner = createPythonRunner({
    sandbox,
    maxConcurrent: 2,
    warm: 2,
    limits: { wallMs: 1_500, cpuMs: 1_500 },
  });

  beforeAll(() => runner.start());
  afterAll(() => runner.stop());

  it('pass for honest work', async () => {
    const result = await runner.execute({ code: HONEST, testCode: TESTS });
    expect(result).toMatchObject({ success: true, testResult: { passed: true, errors: null } });
    expect(result.testResult?.testCases).toHaveLength(5);
  });

  it.each(Object.entries(SUBMISSIONS))('fail for a program that %s', async (_title, code) => {
    const result = await runner.execute({ code, testCode: TESTS });
    expect(result.success).toBe(false);
    expect(result.testResult?.passed).toBe(false);
    expect(result.testResult?.testCases.filter(({ passed }) => passed)).toEqual([]);
    expect(result.output).not.toContain('FOUND');
    const next = await runner.execute({ code: HONEST, testCode: TESTS });
    expect(next.testResult?.passed).toBe(true);
  });

  it.each([
    ['the names of the harness', '__pawl_equal__, __pawl_case__'],
    ['built-in names', 'AssertionError, abs, all, len, sorted'],
    ['names the tests have', 'math, output, check'],
  ])('are not taken over by a star import of %s', async (_what, names) => {
    const all = names.split(', ').map((name) => `"${name}"`);
    const code = `${names
      .split(', ')
      .map((name) => `${name} = lambda *_a, **_k: True`)
      .join('\n')}\n__all__ = ["add", ${all.join(', ')}]\n${WRONG}`;
    const testCode =
      'import math\nfrom starter import *\nassert add(1, 2) == 3\nassert all([add(1, 2) == 3])\nassert math.isclose(add(1, 2), 3)\ncheck(add(1, 2) == 3, "adds")';
    const { testResult } = await runner.execute({ code, testCode });
    expect(testResult?.testCases.map(({ passed }) => passed)).toEqual([false, false, false, false]);
  });
}
