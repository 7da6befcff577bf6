require('./boot.cjs');
const { tearDown } = require('./hooks.cjs');
const { tasksInContext } = require('./in-context.cjs');

// oxlint-disable unicorn/require-post-message-target-origin -- these ports are no windows
module.exports = {
  ...tasksInContext((_self, input) => ({
    workerNumber: process.__tinypool_state__.workerId,
    progress: (progress) =>
      input.port === undefined ? process.send(progress) : input.port.postMessage(progress),
  })),
  tearDown,
};
