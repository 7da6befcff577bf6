import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { transformWithOxc } from 'vite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRunRegister } from '../src/worker/run-register.ts';

describe('the run register', () => {
  it('lets a run begin or gives it back, never both', () => {
    const register = createRunRegister();
    expect(register.begin(1)).toBe(true);
    expect(register.withdraw([1, 2, 4])).toEqual([2, 4]);
    // What was given back once is not given back again.
    expect(register.withdraw([2, 3])).toEqual([3]);
    expect([2, 3, 4, 5].map((id) => register.begin(id))).toEqual([false, false, false, true]);
    expect(register.withdraw([2, 5])).toEqual([]);
  });

  it('keeps what came before a run that is answered out of turn', () => {
    const register = createRunRegister();
    expect(register.begin(3)).toBe(true);
    expect(register.withdraw([2, 3])).toEqual([]);
    expect(register.begin(2)).toBe(true);
    expect(register.withdraw([3, 4])).toEqual([4]);
  });

  it('takes back no more than it can remember, and forgets what came', () => {
    const register = createRunRegister();
    const ids = Array.from({ length: 3_000 }, (_, index) => index + 1);
    const taken = register.withdraw(ids);
    expect(taken).toEqual(ids.slice(0, 1_024));
    expect(ids.filter((id) => !register.begin(id))).toEqual(taken);
    expect(register.withdraw([5_000])).toEqual([5_000]);
  });

  it('knows ids beyond 32 bits', () => {
    const register = createRunRegister();
    const id = 2 ** 40 + 7;
    expect(register.withdraw([id])).toEqual([id]);
    expect(register.begin(id - 1)).toBe(true);
    expect(register.begin(id)).toBe(false);
  });

  it('decides each run once, between two threads', { timeout: 30_000 }, async () => {
    const register = createRunRegister();
    const runs = 200_000;
    const file = fileURLToPath(new URL('../src/worker/run-register.ts', import.meta.url));
    const { code } = await transformWithOxc(await readFile(file, 'utf8'), file);
    const module = `data:text/javascript,${encodeURIComponent(code)}`;
    const at = new Int32Array(new SharedArrayBuffer(4));
    const thread = new Worker(
      `import(${JSON.stringify(module)}).then(({ createRunRegister }) => {
         const { parentPort, workerData } = require('node:worker_threads');
         const register = createRunRegister(workerData.memory);
         const taken = [];
         parentPort.postMessage('ready');
         for (let at = 0; at >= 0; at = Atomics.load(workerData.at, 0)) {
           taken.push(...register.withdraw([at, at + 1, at + 2, at + 5]));
         }
         parentPort.postMessage(taken);
       });`,
      { eval: true, workerData: { memory: register.memory, at } },
    );
    onTestFinished(async () => void (await thread.terminate()));
    await once(thread, 'message');
    const refused: number[] = [];
    let id = 0;
    // On a busy machine the other thread may be late, but not for ever.
    while (id < runs || (refused.length === 0 && id < 100 * runs)) {
      id += 1;
      Atomics.store(at, 0, id);
      if (!register.begin(id)) refused.push(id);
    }
    Atomics.store(at, 0, -1);
    const [taken] = (await once(thread, 'message')) as [number[]];
    // Those beyond the last run never came.
    expect(taken.filter((each) => each <= id).toSorted((one, other) => one - other)).toEqual(refused);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(runs);
  });
});
