import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { reportFault } from './report-fault.ts';
import type { RunRegister } from './run-register.ts';
import { workerClock } from './worker-clock.ts';

/** The exit code of a worker whose side thread failed (`EX_SOFTWARE` of sysexits.h). */
const THREAD_FAILED = 70;

const THREAD = new URL('../../dist/worker/control-thread.js', import.meta.url);

/** What the side thread gets. */
export interface ControlThreadData {
  readonly memory: SharedArrayBuffer;
  /** The host's end of this descriptor asks for `ping`, `withdraw` and `stack`. */
  readonly fd: number;
}

/** The descriptor of the control channel, from `PAWL_CONTROL`; undefined when the host gave none. */
export function controlFd(named: string | undefined): number | undefined {
  const match = /^fd(\d+)$/.exec(named ?? '');
  return match === null ? undefined : Number(match[1]);
}

/**
 * Starts the side thread, which serves the control channel from now on, also while this thread spins. Takes the thread
 * that calls it 2 ms, and memory of some 8 MB; so it is done when there is something to run, not before.
 */
export function startControlThread(fd: number, register: RunRegister): void {
  const data: ControlThreadData = { memory: register.memory, fd };
  const thread = new Worker(THREAD, {
    name: 'pawl control',
    workerData: data,
    // The user's flags and hooks are for the user's code.
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  // It asks whether this thread is there.
  thread.on('message', () => register.turn(workerClock.now()));
  // Without it the host would take a busy worker for a dead one.
  thread.on('error', (error) => {
    reportFault(error);
    process.exit(THREAD_FAILED);
  });
  thread.unref();
}
