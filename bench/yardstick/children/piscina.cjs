require('./boot.cjs');
const { tasksInContext } = require('./in-context.cjs');

// oxlint-disable unicorn/require-post-message-target-origin -- these ports are no windows
module.exports = tasksInContext((_self, input) => ({
  progress: (progress) => input.port.postMessage(progress),
}));
