import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import { inherited, NotOffered, only, translate } from './offer.mjs';

const modules = {
  tasks: 'workerpool.cjs',
  plainEsm: 'workerpool-plain.mjs',
  starting: 'workerpool-starting.mjs',
  plainCjs: 'workerpool.cjs',
};

const common = {
  min: (minWorkers) => ({ minWorkers }),
  max: (maxWorkers) => ({ maxWorkers }),
  maxQueue: (maxQueueSize) => ({ maxQueueSize }),
  graceMs: (graceMs) => ({ workerTerminateTimeout: graceMs, abortListenerTimeout: graceMs }),
  cooperateMs: (abortListenerTimeout) => ({ abortListenerTimeout }),
  teardown: () => ({}),
  fifo: () => ({}),
  livelyWhileIdle: () => ({}),
  ownQueue: (queue) => ({ queueStrategy: queue }),
  output: () => ({ emitStdStreams: true }),
  retries: only(0),
  own: (options) => options,
};
const byKind = {
  processes: {
    ...common,
    processes: () => ({}),
    env: (env) => ({ forkOpts: { env: inherited(env) } }),
    cwd: (cwd) => ({ forkOpts: { cwd } }),
    nodeArguments: (execArgv) => ({ forkOpts: { execArgv } }),
    heapMegabytes: (size) => ({ forkOpts: { execArgv: [`--max-old-space-size=${size}`] } }),
  },
  threads: {
    ...common,
    env: (env) => ({ workerThreadOpts: { env: inherited(env) } }),
    nodeArguments: (execArgv) => ({ workerThreadOpts: { execArgv } }),
    heapMegabytes: (size) => ({ workerThreadOpts: { resourceLimits: { maxOldGenerationSizeMb: size } } }),
  },
};

const runOptions = {
  callbacks: () => ({}),
  signal: () => ({}),
  timeoutMs: () => ({}),
  timeoutFrom: only('start'),
  transferList: (transfer) => ({ transfer }),
  onProgress: (on) => ({ on }),
  onOutput: (listener) => ({ on: (event) => listener(event.stdout ?? event.stderr ?? '') }),
  cooperative: () => ({}),
};

export const workerPool = {
  name: 'workerpool',
  package: 'workerpool',
  kinds: ['processes', 'threads'],
  words: { max: /maxWorkers/, min: /minWorkers/, env: undefined },
  open({ module = 'tasks', ...wanted }, kind) {
    const pool = workerpool.pool(fileURLToPath(new URL(`../children/${modules[module]}`, import.meta.url)), {
      workerType: kind === 'threads' ? 'thread' : 'process',
      ...translate(byKind[kind], wanted),
    });
    return {
      run(task, input, how = {}) {
        if (kind === 'processes' && how.transferList !== undefined) throw new NotOffered('threads only');
        if (how.onOutput !== undefined && wanted.output === undefined)
          throw new NotOffered('an option of its pool');
        const promise = pool.exec(task, [input], translate(runOptions, how));
        if (how.timeoutMs !== undefined) promise.timeout(how.timeoutMs);
        if (how.signal === undefined) return promise;
        // It has no signals: this is how one ties its cancel() to one.
        how.signal.addEventListener('abort', () => void promise.cancel(), { once: true });
        return promise;
      },
      stop: () => pool.terminate(true),
      finishRunning: () => pool.terminate(),
      size: () => pool.stats().totalWorkers,
      queued: () => pool.stats().pendingTasks,
    };
  },
};
