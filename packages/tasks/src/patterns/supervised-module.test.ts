import { Readable } from 'node:stream';
import { createManualClock } from '@pawl/core/testing';
import { createDeferred } from '@pawl/core';
import { describe, expect, it } from 'vitest';
import type { ExitInfo } from '@pawl/runtime';
import type { StartedModule } from './started-module.ts';
import { superviseModule, type SupervisionOptions } from './supervised-module.ts';

function setup(module: Partial<StartedModule> = {}, options: Partial<SupervisionOptions> = {}) {
  const exited = createDeferred<ExitInfo>();
  const gone = createDeferred();
  const clock = createManualClock();
  const graces: number[] = [];
  const end = superviseModule({
    start: async () => ({
      pid: 7,
      stdout: null,
      stderr: null,
      exited: exited.promise,
      released: exited.promise,
      terminate: ({ graceMs }) => {
        graces.push(graceMs);
        return gone.promise;
      },
      ...module,
    }),
    onOutput: () => undefined,
    signal: undefined,
    timeoutMs: Infinity,
    graceMs: () => 5_000,
    clock,
    ...options,
  });
  return { end, exited, gone, clock, graces };
}

describe('the supervision of a module', () => {
  it('reads only so much behind the end of a module whose pipe somebody fills for ever', async () => {
    let bytes = 0;
    const stdout = new Readable({ read: () => void setImmediate(() => stdout.push(Buffer.alloc(10_000))) });
    const { end, exited } = setup(
      { stdout },
      {
        onOutput: (_stream, chunk) => {
          bytes += chunk.length;
          return undefined;
        },
      },
    );
    exited.resolve({ exitCode: 0, signal: null });
    expect(await end).toMatchObject({ exit: { exitCode: 0 }, stopped: undefined });
    expect(bytes).toBeLessThan(1_200_000);
    expect(stdout.destroyed).toBe(true);
  });

  it('reads no faster than its output is taken, and takes all of it', async () => {
    const stdout = new Readable({ read: () => undefined });
    const taken = createDeferred();
    const seen: string[] = [];
    const { end, exited } = setup(
      { stdout },
      {
        onOutput: (_stream, chunk) => {
          seen.push(chunk.toString());
          return seen.length === 1 ? taken.promise : undefined;
        },
      },
    );
    stdout.push('one');
    await expect.poll(() => seen).toEqual(['one']);
    stdout.push('two');
    exited.resolve({ exitCode: 0, signal: null });
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(seen).toEqual(['one']);
    taken.resolve();
    await end;
    expect(seen).toEqual(['one', 'two']);
  });

  it('answers when not even SIGKILL ends the module', async () => {
    const controller = new AbortController();
    const { end, gone, graces } = setup({}, { signal: controller.signal });
    await new Promise(setImmediate);
    controller.abort(new Error('enough'));
    gone.resolve();
    expect(await end).toMatchObject({
      exit: { exitCode: null, signal: null },
      stopped: { kind: 'cancelled', reason: { message: 'enough' } },
    });
    expect(graces).toEqual([5_000]);
  });

  it('asks once to end, for the first reason, and never after the end', async () => {
    const controller = new AbortController();
    const { end, exited, gone, clock, graces } = setup({}, { signal: controller.signal, timeoutMs: 1_000 });
    await clock.advance(1_000);
    controller.abort();
    gone.resolve();
    exited.resolve({ exitCode: 0, signal: null });
    expect(await end).toMatchObject({ stopped: { kind: 'timed-out' } });
    expect([graces.length, clock.pendingTimers]).toEqual([1, 0]);
  });
});
