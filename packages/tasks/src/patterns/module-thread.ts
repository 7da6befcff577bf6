import { PassThrough } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { createDeferred } from '@pawl/core';
import type { ExitInfo } from '@pawl/runtime';
import { hostEnvironment } from './host-environment.ts';
import { startProcess } from './module-process.ts';
import type { ModulePlan, StartedModule } from './started-module.ts';

/** Runs a JavaScript module in a worker thread; anything else, and what needs a folder of its own, as a process. */
export async function startThread(plan: ModulePlan): Promise<StartedModule> {
  if (!plan.command.isNode || plan.cwd !== undefined) return startProcess(plan);
  const worker = new Worker(plan.command.scriptPath, {
    argv: [...plan.args],
    env: { ...hostEnvironment(), ...plan.env },
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  const exited = createDeferred<ExitInfo>();
  const stderr = new PassThrough();
  let failure = '';
  let isTerminated = false;
  worker.stderr.pipe(stderr, { end: false });
  // What a process prints of an error that nobody caught.
  worker.once('error', (error: unknown) => {
    failure = `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
  });
  worker.once('exit', (exitCode) => {
    exited.resolve(isTerminated ? { exitCode: null, signal: 'SIGTERM' } : { exitCode, signal: null });
    worker.stderr.once('end', () => stderr.end(failure));
  });
  return {
    pid: process.pid,
    stdout: worker.stdout,
    stderr,
    endsItsOutput: true,
    exited: exited.promise,
    released: exited.promise,
    terminate() {
      isTerminated = true;
      return worker.terminate();
    },
  };
}
