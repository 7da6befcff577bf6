import { AsyncLocalStorage } from 'node:async_hooks';
import { createTaskCache } from '@pawl/caching';
import { createDeferred } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { fixedBackoff, retry } from '@pawl/resilience';
import { expect, it } from 'vitest';
import { createAdmission } from '../scheduling/admission/admission.ts';
import { createExecutor, type RunAttempt } from './executor.ts';
import { createInMemoryExecutor } from './in-memory-executor.ts';
import { newTraceparent } from './traceparent.ts';

const storage = new AsyncLocalStorage<string>();

/** Tells of each event whose context it came in. */
function contextsOf(executor: ReturnType<typeof createExecutor>): Readonly<Record<string, Set<unknown>>> {
  const seen: Record<string, Set<unknown>> = {};
  executor.onAny((name) => void (seen[name] ??= new Set()).add(storage.getStore()));
  return seen;
}

it('tells every event in the context of the caller, whoever ends, admits or answers the run', async () => {
  const clock = createManualClock();
  const admission = createAdmission({ maxCpu: 1, minFreeMemoryBytes: 0, tokens: { gpu: 1 } });
  const held = await admission.acquire({ gpu: 1 });
  let attempts = 0;
  const run: RunAttempt = () => {
    attempts += 1;
    return attempts < 3 ? Promise.reject(new Error('not yet')) : new Promise(() => undefined);
  };
  const executor = createExecutor({
    clock,
    admission,
    cache: createTaskCache({ clock }),
    retry: retry({ backoff: fixedBackoff(10), jitter: false, clock }),
    run,
  });
  const seen = contextsOf(executor);
  const how = { runId: 'r', tokens: { gpu: 1 }, deterministic: true };
  const outcome = storage.run('caller', () => executor.execute('t', 0, how));
  await new Promise((resolve) => void setImmediate(resolve));
  storage.run('another', () => held.release());
  await storage.run('clock', () => clock.advance(10));
  await storage.run('clock', () => clock.advance(10));
  storage.run('canceller', () => executor.cancel('r'));
  expect(await outcome).toMatchObject({ status: 'cancelled', attempts: 3 });
  expect(seen).toEqual(
    Object.fromEntries(
      [
        'execution:started',
        'cache:missed',
        'admission:waiting',
        'admission:granted',
        'attempt:started',
        'attempt:failed',
        'execution:ended',
      ].map((name) => [name, new Set(['caller'])]),
    ),
  );
});

it('keeps the contexts of two callers apart, of whom one ends the wait of the other', async () => {
  const first = createDeferred();
  const executor = createInMemoryExecutor({
    tasks: { wait: () => first.promise, report: (_input, context) => context.progress({ value: 1 }) },
  });
  const seen: unknown[] = [];
  const onProgress = (): void => void seen.push(storage.getStore());
  const waiting = storage.run('one', async () => {
    await executor.execute('wait');
    seen.push(storage.getStore());
  });
  await storage.run('two', async () => {
    await executor.execute('report', null, { onProgress });
    first.resolve();
  });
  await waiting;
  expect(seen).toEqual(['two', 'one']);
});

it('makes a trace where there is none, of another id each time', () => {
  const traces = new Set(Array.from({ length: 100 }, newTraceparent));
  expect(traces.size).toBe(100);
  for (const trace of traces) expect(trace).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
});
