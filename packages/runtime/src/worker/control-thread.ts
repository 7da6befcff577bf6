// The side thread of a JavaScript worker: answers for it while the main thread is busy, and ends the process when the
// host is gone and the main thread does not notice.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '@pawl/core';
import { createConnection, fdTransport } from '@pawl/ipc';
import type { ControlThreadData } from './control.ts';
import { workerHealth } from './health.ts';
import { mainThreadStack } from './main-stack.ts';
import { createRunRegister } from './run-register.ts';
import { withdrawRuns } from './withdraw.ts';

/** A main thread that has not answered for this long is busy. In milliseconds. */
const ANSWER_MS = 20;
/** From the host's end to the end of this process, in milliseconds: the main thread ends it sooner when it can. */
const ORPHAN_GRACE_MS = 750;

const { memory, fd } = workerData as ControlThreadData;
const register = createRunRegister(memory);

/** How long the main thread has been busy, in milliseconds; about 0 when it is there. */
async function measureLag(): Promise<number> {
  const askedAt = systemClock.now();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
  parentPort?.postMessage('are you there?');
  for (let waitMs = 1; systemClock.now() - askedAt < ANSWER_MS; waitMs *= 2) {
    await new Promise<void>((resolve) => void systemClock.setTimer(waitMs, resolve));
    if (register.turnedAt >= askedAt) return register.turnedAt - askedAt;
  }
  return systemClock.now() - register.turnedAt;
}

const connection = createConnection(fdTransport({ readFd: fd, writeFd: fd, busyPoll: false }), {
  methods: {
    ping: async () => workerHealth(register, await measureLag()),
    withdraw: (params) => withdrawRuns(register, params),
    stack: () => mainThreadStack(),
  },
});

void connection.closed.then(() =>
  systemClock.setTimer(ORPHAN_GRACE_MS, () => process.kill(process.pid, 'SIGKILL')),
);
