// What a JavaScript worker process runs: loads the file named by PAWL_WORKER_FILE and serves what it exports, unless
// the file calls serve() itself.
import { isServing, serve } from './serve.ts';
import { loadTasks } from './task-loader.ts';

const file = process.env['PAWL_WORKER_FILE'];
try {
  if (file === undefined)
    throw new TypeError('PAWL_WORKER_FILE is not set: a pool starts this file, nobody else.');
  const tasks = await loadTasks(file);
  if (!isServing()) {
    if (Object.keys(tasks).length === 0)
      throw new TypeError(`${file} exports no function and does not call serve().`);
    serve({ tasks });
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
