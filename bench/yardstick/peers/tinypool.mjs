import { MessageChannel } from 'node:worker_threads';
import { Tinypool } from 'tinypool';
import { inherited, NotOffered, only, translate } from './offer.mjs';
import { createPriorityQueue } from './priority-queue.mjs';

const modules = {
  tasks: 'tinypool.cjs',
  plainEsm: 'plain.mjs',
  starting: 'starting.mjs',
  plainCjs: 'tasks.cjs',
};

const common = {
  min: (minThreads) => ({ minThreads }),
  max: (maxThreads) => ({ maxThreads }),
  maxQueue: (maxQueue) => ({ maxQueue }),
  idleTimeoutMs: (idleTimeout) => ({ idleTimeout }),
  env: (env) => ({ env: inherited(env) }),
  nodeArguments: (execArgv) => ({ execArgv }),
  singleUse: () => ({ isolateWorkers: true }),
  memoryLimitBytes: (maxMemoryLimitBeforeRecycle) => ({ maxMemoryLimitBeforeRecycle }),
  graceMs: (terminateTimeout) => ({ terminateTimeout: terminateTimeout + 2_000 }),
  teardown: () => ({ teardown: 'tearDown' }),
  livelyWhileIdle: () => ({ useAtomics: false }),
  fifo: () => ({}),
  equalsInOrder: () => ({}),
  priorities: () => ({
    taskQueue: createPriorityQueue((task) => task[Tinypool.queueOptionsSymbol]?.priority),
  }),
  ownQueue: (queue) => ({ taskQueue: queue }),
  retries: only(0),
  own: (options) => options,
};
const byKind = {
  processes: {
    ...common,
    processes: () => ({}),
    terminates: () => ({}),
    heapMegabytes: (size) => ({ execArgv: [`--max-old-space-size=${size}`] }),
  },
  threads: {
    ...common,
    heapMegabytes: (size) => ({ resourceLimits: { maxOldGenerationSizeMb: size } }),
  },
};

const runOptions = {
  callbacks: () => ({}),
  takesSignals: () => ({}),
  signal: (signal) => ({ signal }),
  timeoutMs: (ms) => ({ signal: AbortSignal.timeout(ms) }),
  timeoutFrom: only('submit'),
  priority: () => ({}),
  transferList: (transferList) => ({ transferList }),
  onProgress: () => ({}),
};

export const tinypool = {
  name: 'tinypool',
  package: 'tinypool',
  kinds: ['processes', 'threads'],
  words: { max: /maxThreads/, min: /minThreads/, env: 'env' },
  open({ module = 'tasks', ...wanted }, kind) {
    const pool = new Tinypool({
      filename: new URL(`../children/${modules[module]}`, import.meta.url).href,
      runtime: kind === 'threads' ? 'worker_threads' : 'child_process',
      serialization: 'advanced',
      // Its processes inherit nothing.
      env: inherited({}),
      ...translate(byKind[kind], wanted),
    });
    pool.on('error', () => {});
    return {
      run(task, input, how = {}) {
        const options = { name: task, ...translate(runOptions, how) };
        if (how.priority !== undefined) {
          return pool.run({ ...input, [Tinypool.queueOptionsSymbol]: { priority: how.priority } }, options);
        }
        if (kind === 'processes' && how.transferList !== undefined) throw new NotOffered('threads only');
        if (how.onProgress === undefined) return pool.run(input, options);
        if (kind === 'threads' && how.callbacks) throw new NotOffered('a port of one’s own');
        if (kind === 'processes') {
          const channel = { onMessage: () => {}, postMessage: how.onProgress };
          return pool.run(input, { ...options, channel });
        }
        const { port1, port2 } = new MessageChannel();
        port1.on('message', how.onProgress);
        const promise = pool.run({ ...input, port: port2 }, { ...options, transferList: [port2] });
        return promise.finally(() => port1.close());
      },
      stop: () => pool.destroy(),
      size: () => pool.threads.length,
      queued: () => pool.queueSize,
      workerIds: () => pool.threads.map(({ threadId }) => threadId),
      onFault: (listener) => pool.on('error', listener),
      recycleAs: (other) =>
        pool.recycleWorkers({ runtime: other === 'threads' ? 'worker_threads' : 'child_process' }),
    };
  },
};
