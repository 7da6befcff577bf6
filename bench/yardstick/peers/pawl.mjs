import { exponentialBackoff, retry } from '@pawl/resilience';
import { createExecutor, createPool } from '@pawl/runtime';
import { translate } from './offer.mjs';

const modules = { tasks: 'pawl.mjs', plainEsm: 'plain.mjs', starting: 'starting.mjs', plainCjs: 'tasks.cjs' };

const poolOptions = {
  min: (minWorkers) => ({ minWorkers }),
  max: (maxWorkers) => ({ maxWorkers }),
  maxQueue: (maxQueue) => ({ maxQueue }),
  idleTimeoutMs: (idleTimeoutMs) => ({ idleTimeoutMs }),
  env: (env) => ({ env }),
  cwd: (cwd) => ({ cwd }),
  nodeArguments: (execArgv) => ({ execArgv }),
  heapMegabytes: (size) => ({ execArgv: [`--max-old-space-size=${size}`] }),
  singleUse: () => ({ maxRunsPerWorker: 1 }),
  maxRuns: (maxRunsPerWorker) => ({ maxRunsPerWorker }),
  jitter: (recycleJitter) => ({ recycleJitter }),
  memoryLimitBytes: (maxWorkerRssBytes) => ({ maxWorkerRssBytes, heartbeatMs: 1_000 }),
  maxMessageBytes: (maxMessageBytes) => ({ maxMessageBytes }),
  graceMs: (graceMs) => ({ cancelGraceMs: graceMs, killGraceMs: graceMs }),
  cooperateMs: (cancelGraceMs) => ({ cancelGraceMs }),
  startLimit: (restart) => ({ restart }),
  ageingMs: (ageingMs) => ({ ageingMs }),
  overflow: (overflow) => ({ overflow }),
  processes: () => ({}),
  terminates: () => ({}),
  fifo: () => ({}),
  livelyWhileIdle: () => ({}),
  equalsInOrder: () => ({}),
  priorities: () => ({}),
  retries: () => ({}),
  teardown: () => ({}),
  affinity: () => ({}),
  own: (options) => options,
};

const runOptions = {
  callbacks: () => ({}),
  takesSignals: () => ({}),
  signal: (signal) => ({ signal }),
  timeoutMs: (timeoutMs) => ({ timeoutMs }),
  timeoutFrom: (timeoutFrom) => ({ timeoutFrom }),
  priority: (level) => ({ priority: { low: 1, normal: 2, urgent: 4 }[level] }),
  affinity: (affinity) => ({ affinity }),
  key: (key) => ({ key }),
  trace: (trace) => ({ trace }),
  onProgress: (onProgress) => ({ onProgress }),
  onOutput: (listener) => ({ onOutput: (_stream, chunk) => listener(`${chunk}`) }),
  cooperative: () => ({}),
  tellsReason: () => ({}),
};

export const pawl = {
  name: 'Pawl',
  package: '@pawl/runtime',
  kinds: ['processes'],
  /** Its own words, where a check asks whether an error names them. */
  words: { max: /maxWorkers/, min: /minWorkers/, env: 'env' },
  open({ module = 'tasks', ...wanted }) {
    const pool = createPool({
      worker: new URL(`../children/${modules[module]}`, import.meta.url),
      inheritEnv: ['YARDSTICK_SCRATCH'],
      ...translate(poolOptions, wanted),
    });
    pool.on('worker:start-failed', () => {});
    return {
      run: runner(pool, wanted.retries ?? 0),
      stop: () => pool.stop({ graceMs: 0 }),
      finishRunning: () => pool.stop({ graceMs: 20_000 }),
      finishAll: () => pool.stop({ graceMs: 20_000 }),
      stopReport: async () => (await pool.stop({ graceMs: 300 })).drained,
      dispose: () => pool[Symbol.asyncDispose](),
      size: () => pool.size,
      queued: () => pool.stats().queued,
      workerIds: () => pool.workers().map(({ workerId }) => workerId),
      needsDrain: () => pool.needsDrain,
      onDrain: (listener) => pool.on('queue:drain', listener),
      onFault: (listener) => pool.on('worker:crashed', listener),
      onGaveUp: (listener) => pool.on('pool:crash-loop', listener),
      scaleTo: (workers) => pool.scaleTo(workers),
      measuredRuns: () => pool.stats().runMs.count,
      counts() {
        const { submitted, succeeded, failed, timedOut, cancelled, lost, refused, stopped } = pool.stats();
        return { submitted, succeeded, failed, timedOut, cancelled, lost, refused, stopped };
      },
      stream: (task, input, how) => pool.stream(task, input, how),
    };
  },
};

function runner(pool, retries) {
  if (retries === 0) return (task, input, how = {}) => pool.run(task, input, translate(runOptions, how));
  const backoff = exponentialBackoff({ initialMs: 20, maxMs: 100 });
  const executor = createExecutor({
    pools: { '*': pool },
    retry: retry({ maxAttempts: retries + 1, backoff, shouldRetry: () => true }),
  });
  return async (task, input) => {
    const outcome = await executor.execute(task, input);
    if (outcome.status === 'succeeded') return outcome.value;
    throw outcome.error;
  };
}
