import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { inherited, only, translate } from './offer.mjs';
import { createPriorityQueue } from './priority-queue.mjs';

const modules = {
  tasks: 'piscina.cjs',
  plainEsm: 'plain.mjs',
  starting: 'starting.mjs',
  plainCjs: 'tasks.cjs',
};

const poolOptions = {
  min: (minThreads) => ({ minThreads }),
  max: (maxThreads) => ({ maxThreads }),
  maxQueue: (maxQueue) => ({ maxQueue }),
  idleTimeoutMs: (idleTimeout) => ({ idleTimeout }),
  env: (env) => ({ env: inherited(env) }),
  nodeArguments: (execArgv) => ({ execArgv }),
  heapMegabytes: (size) => ({ resourceLimits: { maxOldGenerationSizeMb: size } }),
  graceMs: () => ({}),
  /** Otherwise an idle thread sleeps so deeply that its timers do too. */
  livelyWhileIdle: () => ({ atomics: 'disabled' }),
  fifo: () => ({ stricterFIFO: true }),
  equalsInOrder: () => ({}),
  priorities: () => ({
    taskQueue: createPriorityQueue((task) => task[Piscina.queueOptionsSymbol]?.priority),
  }),
  ownQueue: (queue) => ({ taskQueue: queue }),
  retries: only(0),
  own: (options) => options,
};

const runOptions = {
  takesSignals: () => ({}),
  signal: (signal) => ({ signal }),
  timeoutMs: (ms) => ({ signal: AbortSignal.timeout(ms) }),
  timeoutFrom: only('submit'),
  priority: () => ({}),
  transferList: (transferList) => ({ transferList }),
  onProgress: () => ({}),
};

export const piscina = {
  name: 'piscina',
  package: 'piscina',
  kinds: ['threads'],
  words: { max: /maxThreads/, min: /minThreads/, env: 'env' },
  open({ module = 'tasks', ...wanted }) {
    const pool = new Piscina({
      filename: new URL(`../children/${modules[module]}`, import.meta.url).href,
      recordTiming: true,
      ...translate(poolOptions, wanted),
    });
    pool.on('error', () => {});
    return {
      run(task, input, how = {}) {
        const options = { name: task, ...translate(runOptions, how) };
        if (how.priority !== undefined) {
          return pool.run({ ...input, [Piscina.queueOptionsSymbol]: { priority: how.priority } }, options);
        }
        if (how.onProgress === undefined) return pool.run(input, options);
        const { port1, port2 } = new MessageChannel();
        port1.on('message', how.onProgress);
        const promise = pool.run({ ...input, port: port2 }, { ...options, transferList: [port2] });
        return promise.finally(() => port1.close());
      },
      stop: () => pool.destroy(),
      finishRunning: () => pool.close(),
      finishAll: () => pool.close(),
      dispose: () => pool[Symbol.asyncDispose](),
      size: () => pool.threads.length,
      queued: () => pool.queueSize,
      workerIds: () => pool.threads.map(({ threadId }) => threadId),
      needsDrain: () => pool.needsDrain,
      onDrain: (listener) => pool.on('drain', listener),
      onFault: (listener) => pool.on('error', listener),
      measuredRuns: () => pool.completed,
    };
  },
};
