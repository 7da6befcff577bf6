require('./boot.cjs');
const { isMainThread } = require('node:worker_threads');
const { ClusterWorker, ThreadWorker } = require('poolifier');
const { tearDown } = require('./hooks.cjs');
const { tasksInContext } = require('./in-context.cjs');

const Worker = isMainThread ? ClusterWorker : ThreadWorker;
// It waits only for functions that are `async` themselves.
const tasks = Object.fromEntries(
  Object.entries(tasksInContext(() => ({}))).map(([name, task]) => [name, async (input) => task(input)]),
);
module.exports = new Worker(
  {
    ...tasks,
    urgentMark: { taskFunction: tasks.mark, priority: -10 },
    lowMark: { taskFunction: tasks.mark, priority: 10 },
  },
  { killHandler: tearDown, maxInactiveTime: Number(process.env.YARDSTICK_IDLE_MS ?? 60_000) },
);
