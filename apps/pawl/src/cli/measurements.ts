import { join } from 'node:path';
import { createPythonRunner } from '@pawl/python';
import { createPool, createProcessManager, type ProcessHandle } from '@pawl/runtime';
import type { RunView } from '../api/run-schemas.ts';
import type { Config } from '../config.ts';
import { runnerOptions } from '../python/runner-options.ts';
import { createClient, route } from './client.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

/** One figure about this machine. */
export interface Measurement {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'µs' | '1/s';
}

interface RunCounts {
  readonly queued: number;
  readonly running: number;
}

const POOL_CALLS = 2_000;
const POOL_ROUNDS = 150;
const POOL_IN_FLIGHT = 64;
const PROGRAMS = 10;
const RUNS = 200;
const START_LIMIT_MS = 30_000;

/** A worker process from nothing to its first result, and what a run in it costs. */
export async function measurePool(signal: AbortSignal): Promise<readonly Measurement[]> {
  const startedAt = performance.now();
  await using pool = createPool({ worker: new URL('./bench-worker.js', import.meta.url), maxWorkers: 1 });
  await pool.run('echo', null, { signal });
  const start = performance.now() - startedAt;
  const roundTrip = await medianOf(POOL_CALLS, () => pool.run('echo', null, { signal }));
  const from = performance.now();
  for (let round = 0; round < POOL_ROUNDS; round += 1) {
    await Promise.all(Array.from({ length: POOL_IN_FLIGHT }, () => pool.run('echo', null, { signal })));
  }
  return [
    { what: 'worker process: start to first result', value: start, unit: 'ms' },
    { what: 'pool: one run there and back', value: roundTrip * 1_000, unit: 'µs' },
    {
      what: `pool: runs of one worker, ${POOL_IN_FLIGHT} in flight`,
      value: (POOL_ROUNDS * POOL_IN_FLIGHT * 1_000) / (performance.now() - from),
      unit: '1/s',
    },
  ];
}

/** The first program, for which sandbox and Python are started, and those that follow. */
export async function measurePython(config: Config, signal: AbortSignal): Promise<readonly Measurement[]> {
  const runner = createPythonRunner({ ...runnerOptions(config), maxConcurrent: 1 });
  try {
    const execute = (): Promise<unknown> => runner.execute({ code: 'print(1)' }, { signal });
    const startedAt = performance.now();
    await execute();
    const start = performance.now() - startedAt;
    return [
      { what: 'Python program: start of sandbox and worker', value: start, unit: 'ms' },
      { what: 'Python program: those that follow', value: await medianOf(PROGRAMS, execute), unit: 'ms' },
    ];
  } catch (error) {
    signal.throwIfAborted();
    // `pawl doctor` says why; the other figures are worth having all the same.
    if ((error as { readonly code?: unknown }).code === 'SANDBOX_UNAVAILABLE') return [];
    throw error;
  } finally {
    await runner.stop({ graceMs: 0 });
  }
}

/** A service of its own: its start, and tracked runs from submission to the end of the last. */
export async function measureService(folder: string, signal: AbortSignal): Promise<readonly Measurement[]> {
  const manager = createProcessManager();
  try {
    const startedAt = performance.now();
    const child = await manager.spawn({
      command: process.execPath,
      args: [process.argv[1] ?? '', 'serve'],
      inheritEnv: ['PAWL_PYTHON', 'PAWL_ALLOW_UNSANDBOXED', 'PAWL_MIN_SANDBOX_TIER'],
      env: {
        PAWL_PORT: '0',
        PAWL_DATA_DIR: join(folder, 'data'),
        PAWL_LOG_LEVEL: 'error',
        TMPDIR: folder,
      },
      stdin: 'ignore',
    });
    const client = createClient({ url: await addressOf(child) });
    const start = performance.now() - startedAt;
    const request = { command: { file: 'true' } };
    const submittedAt = performance.now();
    const runs = Array.from({ length: RUNS }, () => request);
    const { results } = await client.send<{ readonly results: readonly { readonly run: RunView }[] }>(
      'POST',
      '/v1/runs/batch',
      { runs },
      { signal },
    );
    const submitted = performance.now() - submittedAt;
    const last = results.at(-1)?.run.id ?? '';
    const wait = { query: { timeoutMs: 60_000 }, timeoutMs: 90_000, signal };
    await client.get(route`/v1/runs/${last}/wait`, wait);
    for (let isOver = false; !isOver;) {
      // Some that started sooner may end later.
      const { queued, running } = await client.get<RunCounts>('/v1/runs/counts', { signal });
      isOver = queued + running === 0;
    }
    const ended = performance.now() - submittedAt;
    return [
      { what: 'service: start until it listens', value: start, unit: 'ms' },
      { what: `service: ${RUNS} runs submitted and stored`, value: (RUNS * 1_000) / submitted, unit: '1/s' },
      {
        what: `service: ${RUNS} processes from submission to end`,
        value: (RUNS * 1_000) / ended,
        unit: '1/s',
      },
    ];
  } finally {
    await manager.stop({ graceMs: 5_000 });
  }
}

/** Where the service says that it listens. */
async function addressOf({ stdout, stderr, exited }: ProcessHandle): Promise<string> {
  let said = '';
  let complaint = '';
  stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-1_000)));
  const address = new Promise<string>((resolve) => {
    stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const url = /listens on (http:\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<'slow'>((resolve) => {
    timer = setTimeout(() => resolve('slow'), START_LIMIT_MS);
  });
  try {
    const first = await Promise.race([address, exited, tooSlow]);
    if (typeof first === 'string' && first !== 'slow') return first;
    throw new CommandError(exitCodes.software, `the service did not start: ${complaint.trim()}`);
  } finally {
    clearTimeout(timer);
  }
}

async function medianOf(calls: number, call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < calls; i += 1) {
    const from = performance.now();
    await call();
    times.push(performance.now() - from);
  }
  return times.toSorted((a, b) => a - b)[calls >> 1] ?? Number.NaN;
}
