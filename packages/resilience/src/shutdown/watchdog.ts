/** Sleeps in its own thread, which a blocked event loop does not hold up. */
const SOURCE = `
const { workerData } = require('node:worker_threads');
const wake = new Int32Array(workerData.wake);
if (Atomics.wait(wake, 0, 0, workerData.afterMs) === 'timed-out') process.kill(workerData.pid, 'SIGKILL');
`;

/**
 * Kills the process after `afterMs` unless it is stopped before. Real time, in a thread of its own; does not keep
 * the process running. `Infinity` starts none.
 * @returns a function that stops it
 */
export function startWatchdog(afterMs: number, pid: number): () => void {
  if (afterMs === Infinity) return () => undefined;
  // Loaded when needed, so that importing the package stays cheap.
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const wake = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(SOURCE, { eval: true, workerData: { wake: wake.buffer, afterMs, pid } });
  // A process without threads left shuts down without a watchdog.
  worker.on('error', () => undefined);
  worker.unref();
  return () => {
    Atomics.store(wake, 0, 1);
    Atomics.notify(wake, 0);
  };
}
