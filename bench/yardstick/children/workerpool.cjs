require('./boot.cjs');
const workerpool = require('workerpool');
const { tearDown } = require('./hooks.cjs');
const { tasksInContext } = require('./in-context.cjs');

const tasks = tasksInContext((self) => ({
  progress: workerpool.workerEmit,
  onAbort: (listener) => self.worker.addAbortListener(async () => listener()),
}));
workerpool.worker(tasks, { onTerminate: tearDown });
