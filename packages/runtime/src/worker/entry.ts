// What a JavaScript worker process runs: loads the file named by PAWL_WORKER_FILE and serves what it exports, unless
// the file calls serve() itself.
import process from 'node:process';
import { watchParent } from './parent-watch.ts';
import { reportFault } from './report-fault.ts';
import { isServing, serve } from './serve.ts';
import { loadTasks } from './task-loader.ts';

// A module that takes its time to load must not outlive the host; from serve() on, tasks are given a moment.
const stopWatching = watchParent(() => process.exit(1));
const file = process.env['PAWL_WORKER_FILE'];
try {
  if (file === undefined)
    throw new TypeError('PAWL_WORKER_FILE is not set: a pool starts this file, nobody else.');
  const tasks = await loadTasks(file);
  if (!isServing()) {
    if (Object.keys(tasks).length === 0)
      throw new TypeError(`${file} exports no task and does not call serve().`);
    serve({ tasks });
  }
  stopWatching();
} catch (error) {
  reportFault(error);
  process.exit(1);
}
