import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLeakCheck } from '@pawl/core/testing';
import { expect, it, vi } from 'vitest';
import { createPythonRunner, type ExecutionRequest, type ExecutionResult } from '../src/index.ts';

/** Larger by `PAWL_LOAD_CLIENTS=200 PAWL_LOAD_RUNS=5000`. */
const CLIENTS = Number(process.env['PAWL_LOAD_CLIENTS'] ?? 12);
const RUNS = Number(process.env['PAWL_LOAD_RUNS'] ?? 120);

type Mix = readonly [request: ExecutionRequest, isRight: (result: ExecutionResult) => boolean];

const ADD_TESTS = 'import starter\nassert starter.add(2, 3) == 5\nassert "hi" in output';
const LIMITS = { wallMs: 400, memoryBytes: 128 * 1024 * 1024 };

/** The `n`-th request, and whether a result is the right answer to it. */
function mixed(n: number): Mix {
  const mixes: readonly Mix[] = [
    [{ code: `print(${n} * 7)` }, ({ success, output }) => success && output === String(n * 7)],
    [
      { code: 'print("hi")\ndef add(a, b): return a + b', testCode: ADD_TESTS },
      ({ success, testResult }) => success && testResult?.testCases.length === 2,
    ],
    [
      { code: 'print(input()[::-1])', stdin: `${n}x` },
      ({ output }) => output === `x${String(n).split('').toReversed().join('')}`,
    ],
    [
      { code: 'print("hi")\ndef add(a, b): return 6', testCode: ADD_TESTS },
      ({ success, testResult }) => !success && testResult?.passed === false,
    ],
    [
      { code: `raise ValueError(${n})` },
      ({ status, error }) => status === 'failed' && error?.message === String(n),
    ],
    [{ code: 'while True: pass', limits: LIMITS }, ({ status }) => status === 'timeout'],
    [
      { code: 'while True: print("x" * 1000)', limits: { outputBytes: 5_000 } },
      ({ status }) => status === 'output-limit',
    ],
    [
      { code: 'x = [bytearray(1 << 20) for _ in range(4000)]', limits: { memoryBytes: LIMITS.memoryBytes } },
      ({ status }) => status === 'memory-limit',
    ],
    [
      { code: 'import os\nwhile True:\n    try: os.fork()\n    except OSError: pass', limits: LIMITS },
      ({ success }) => !success,
    ],
    [
      { code: 'import os\nos.kill(os.getpid(), 9)' },
      ({ status, signal }) => status === 'killed' && signal === 9,
    ],
  ];
  // Good programs are most of them.
  const pick = n % 3 === 2 ? 4 + (n % (mixes.length - 4)) : n % 4;
  return mixes[pick] as Mix;
}

/** Processes below this one, those that are dead and not reaped included. */
function descendants(): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === process.pid || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow).length;
}

it.skipIf(process.platform !== 'linux')(
  'answers many clients at once rightly, good and hostile programs mixed, and leaves nothing behind',
  async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'pawl-load-'));
    // Workers that have given up root's rights pass through it.
    chmodSync(temporary, 0o711);
    vi.stubEnv('TMPDIR', temporary);
    const leaks = createLeakCheck({ settleMs: 5_000 });
    const runner = createPythonRunner({
      maxConcurrent: 3,
      warm: 3,
      maxQueue: CLIENTS,
      maxRunsPerWorker: 50,
      allowUnsandboxed: true,
    });
    await runner.start();
    const wrong: unknown[] = [];
    let next = 0;
    const client = async (): Promise<void> => {
      while (next < RUNS) {
        const n = next;
        next += 1;
        const [request, isRight] = mixed(n);
        const result = await runner.execute(request);
        if (!isRight(result)) wrong.push({ n, request, result });
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    expect(wrong).toEqual([]);
    expect(readdirSync(temporary)).toHaveLength(1);
    await runner.stop();
    // Fails if anything is in it.
    rmdirSync(temporary);
    await expect.poll(descendants, { timeout: 5_000 }).toBe(0);
    await leaks.assertNoLeak();
  },
  RUNS * 1_000,
);

it('sheds what is beyond its queue', async () => {
  await using runner = createPythonRunner({ maxConcurrent: 1, maxQueue: 1, allowUnsandboxed: true });
  await runner.start();
  const results = await Promise.allSettled(
    Array.from({ length: 5 }, () => runner.execute({ code: 'import time\ntime.sleep(0.2)\nprint("done")' })),
  );
  const codes = results.map((each) =>
    each.status === 'fulfilled' ? each.value.output : (each.reason as { code: string }).code,
  );
  expect(codes).toEqual(['done', 'done', 'QUEUE_FULL', 'QUEUE_FULL', 'QUEUE_FULL']);
});
