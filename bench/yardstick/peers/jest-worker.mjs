import { fileURLToPath } from 'node:url';
import { PriorityQueue, Worker } from 'jest-worker';
import tasks from '../children/tasks.cjs';
import { inherited, NotOffered, translate } from './offer.mjs';

const modules = {
  tasks: 'jest-worker.cjs',
  plainEsm: 'plain.mjs',
  starting: 'jest-worker-starting.cjs',
  plainCjs: 'tasks.cjs',
};
const ranks = { urgent: 0, normal: 1, low: 2 };

const common = {
  max: (numWorkers) => ({ numWorkers }),
  env: (env) => ({ forkOptions: { env: inherited(env) } }),
  singleUse: () => ({ idleMemoryLimit: 0 }),
  memoryLimitBytes: (idleMemoryLimit) => ({ idleMemoryLimit }),
  retries: (maxRetries) => ({ maxRetries }),
  teardown: () => ({}),
  graceMs: () => ({}),
  fifo: () => ({}),
  livelyWhileIdle: () => ({}),
  priorities: () => ({ taskQueue: new PriorityQueue((_task, _input, rank) => rank ?? ranks.normal) }),
  affinity: () => ({ computeWorkerKey: (_task, _input, _rank, affinity) => affinity ?? null }),
  output: () => ({}),
  own: (options) => options,
};
const byKind = {
  processes: {
    ...common,
    processes: () => ({}),
    terminates: () => ({}),
    cwd: (cwd) => ({ forkOptions: { cwd } }),
    nodeArguments: (execArgv) => ({ forkOptions: { execArgv } }),
    heapMegabytes: (size) => ({ forkOptions: { execArgv: [`--max-old-space-size=${size}`] } }),
  },
  threads: {
    ...common,
    heapMegabytes: (size) => ({ resourceLimits: { maxOldGenerationSizeMb: size } }),
  },
};

const runOptions = {
  priority: () => ({}),
  affinity: () => ({}),
  onProgress: () => ({}),
};

export const jestWorker = {
  name: 'jest-worker',
  package: 'jest-worker',
  kinds: ['processes', 'threads'],
  words: { max: /numWorkers|number of workers/i, min: undefined, env: undefined },
  open({ module = 'tasks', ...wanted }, kind) {
    const pool = new Worker(fileURLToPath(new URL(`../children/${modules[module]}`, import.meta.url)), {
      exposedMethods: [...Object.keys(tasks), 'isBooted'],
      enableWorkerThreads: kind === 'threads',
      ...translate(byKind[kind], wanted),
    });
    let outputListener;
    // Unread, these pipes fill up.
    for (const stream of [pool.getStdout(), pool.getStderr()]) {
      stream.on('data', (chunk) => outputListener?.(`${chunk}`));
    }
    return {
      run(task, input, { onProgress, priority, affinity, ...how } = {}) {
        translate(runOptions, how);
        if (typeof pool[task] !== 'function') throw new TypeError(`pool.${task} is not a function`);
        const more = priority === undefined && affinity === undefined ? [] : [ranks[priority], affinity];
        const promise = pool[task](input, ...more);
        if (onProgress !== undefined) promise.UNSTABLE_onCustomMessage(onProgress);
        return promise;
      },
      stop: () => pool.end(),
      stopReport: async () => !(await pool.end()).forceExited,
      onOutput(listener) {
        if (kind === 'threads') throw new NotOffered('processes');
        outputListener = listener;
      },
    };
  },
};
