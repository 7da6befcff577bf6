// Answers as long as nothing goes wrong.
require('./boot.cjs');
const { tasksInContext } = require('./in-context.cjs');

const tasks = tasksInContext(() => ({ progress: () => {}, emit: () => {}, onAbort: () => {} }));
async function answer({ id, task, input }) {
  process.send({ id, result: await tasks[task](input) });
}
process.on('message', (message) => void answer(message));
// Nor does it notice that nobody is there any more.
setInterval(() => {}, 1_000);
