require('./boot.cjs');
const { messageParent } = require('jest-worker');
const { tearDown } = require('./hooks.cjs');
const { tasksInContext } = require('./in-context.cjs');

module.exports = {
  ...tasksInContext(() => ({ progress: messageParent, workerNumber: process.env.JEST_WORKER_ID })),
  teardown: tearDown,
};
