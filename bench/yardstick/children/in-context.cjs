// The tasks for a pool whose workers find their tools elsewhere than in a second argument.
const tasks = require('./tasks.cjs');

/** @param {(self: unknown, input: unknown) => object} contextOf makes the context of a call from its `this` and input */
exports.tasksInContext = (contextOf) =>
  Object.fromEntries(
    Object.entries(tasks).map(([name, task]) => [
      name,
      function call(input) {
        return task(input, contextOf(this, input));
      },
    ]),
  );
