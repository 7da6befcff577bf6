import { fileURLToPath } from 'node:url';
import { DynamicClusterPool, DynamicThreadPool, FixedClusterPool, FixedThreadPool } from 'poolifier';
import { inherited, NotOffered, only, translate } from './offer.mjs';

const modules = {
  tasks: 'poolifier.cjs',
  plainEsm: 'poolifier-plain.mjs',
  starting: 'poolifier-starting.mjs',
  plainCjs: 'poolifier.cjs',
};

const common = {
  min: () => ({}),
  max: () => ({}),
  idleTimeoutMs(ms) {
    if (ms === Infinity) throw new NotOffered('always finite');
    return { env: { YARDSTICK_IDLE_MS: `${ms}` } };
  },
  env: (env) => ({ env: inherited(env) }),
  graceMs: () => ({}),
  teardown: () => ({}),
  fifo: () => ({}),
  livelyWhileIdle: () => ({}),
  equalsInOrder: () => ({}),
  priorities: () => ({}),
  queueMark: (size) => ({ tasksQueueOptions: { size } }),
  ageing: () => ({ tasksQueueOptions: { agingFactor: 0.01 } }),
  retries: only(0),
  own: (options) => options,
};
const byKind = {
  processes: {
    ...common,
    processes: () => ({}),
    cwd: (cwd) => ({ settings: { cwd } }),
    nodeArguments: (execArgv) => ({ settings: { execArgv } }),
    heapMegabytes: (size) => ({ settings: { execArgv: [`--max-old-space-size=${size}`] } }),
  },
  threads: {
    ...common,
    nodeArguments: (execArgv) => ({ workerOptions: { execArgv } }),
    heapMegabytes: (size) => ({ workerOptions: { resourceLimits: { maxOldGenerationSizeMb: size } } }),
  },
};

const runOptions = {
  takesSignals: () => ({}),
  signal: () => ({}),
  timeoutMs: () => ({}),
  timeoutFrom: only('submit'),
  priority: () => ({}),
  transferList: () => ({}),
};

/** The priority belongs to the function, so there is one function for each. */
const marks = { urgent: 'urgentMark', normal: 'mark', low: 'lowMark' };

export const poolifier = {
  name: 'poolifier',
  package: 'poolifier',
  kinds: ['processes', 'threads'],
  words: { max: /number of workers|maximum/i, min: /number of workers|minimum/i, env: 'env' },
  open({ module = 'tasks', ...wanted }, kind) {
    const file = fileURLToPath(new URL(`../children/${modules[module]}`, import.meta.url));
    const options = { enableTasksQueue: true, ...translate(byKind[kind], wanted) };
    const [Fixed, Dynamic] =
      kind === 'threads' ? [FixedThreadPool, DynamicThreadPool] : [FixedClusterPool, DynamicClusterPool];
    const pool =
      wanted.min === undefined || wanted.min === wanted.max
        ? new Fixed(wanted.max, file, options)
        : new Dynamic(wanted.min, wanted.max, file, options);
    pool.emitter?.on('error', () => {});
    return {
      run(task, input, how = {}) {
        translate(runOptions, how);
        const signal = how.timeoutMs === undefined ? how.signal : AbortSignal.timeout(how.timeoutMs);
        const name = task === 'mark' ? marks[how.priority ?? 'normal'] : task;
        return pool.execute(input, name, signal, how.transferList);
      },
      stop: () => pool.destroy(),
      finishAll: () => pool.destroy(),
      size: () => pool.info.workerNodes,
      queued: () => pool.info.queuedTasks,
      workerIds: () => pool.workerNodes.map(({ info }) => info.id),
      needsDrain: () => pool.info.backPressure,
      onDrain: (listener) => pool.emitter.on('backPressureEnd', listener),
      onFault: (listener) => pool.emitter.on('error', listener),
    };
  },
};
