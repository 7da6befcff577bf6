import { sleep, systemClock } from '@pawl/core';
import { frame, runParams } from '../host-frames.ts';
import type { RawWorker } from '../raw-worker.ts';
import { expect, expectError, expectResult, expectResultOf, type Rule, rulesOf, show } from '../rule.ts';

const GRACE_MS = 3_000;
const LONG_MS = 60_000;
const BIG_BYTES = 900_000;

export const endRules: readonly Rule[] = rulesOf('The end', [
  {
    id: 'shutdown.exits-with-0',
    says: 'After `shutdown` an idle worker exits with 0 within `graceMs`.',
    worker: 'welcomed',
    async check(worker) {
      worker.notify('shutdown', { graceMs: GRACE_MS });
      await expectExit0(worker);
    },
  },
  {
    id: 'shutdown.finishes-runs',
    says: 'After `shutdown` the worker finishes what runs, then exits with 0.',
    tasks: ['sleep'],
    worker: 'welcomed',
    async check(worker) {
      const id = worker.run('sleep', { ms: 300 });
      worker.notify('shutdown', { graceMs: GRACE_MS });
      expectResult(await worker.answer(id));
      await expectExit0(worker);
    },
  },
  {
    id: 'shutdown.takes-nothing-new',
    says: 'A run that comes behind `shutdown` is not begun: it is answered with -32006, or the worker is gone.',
    worker: 'welcomed',
    async check(worker) {
      const { tasks } = await worker.hello();
      const task = Array.isArray(tasks) && tasks.includes('echo') ? 'echo' : 'no such task';
      const id = worker.nextId();
      worker.write(
        frame({ method: 'shutdown', params: { graceMs: GRACE_MS } }) +
          frame({ id, method: 'run', params: runParams(task, null) }),
      );
      await worker.exit(GRACE_MS);
      const [answer] = worker.answers(id);
      // Of a task that is not there, -32003 is as true.
      if (answer !== undefined) expectError(answer, -32_006, ...(task === 'echo' ? [] : [-32_003]));
    },
  },
  {
    id: 'shutdown.answers-draining',
    says: 'While a worker that was shut down finishes its runs, it answers a new one with -32006.',
    tasks: ['sleep'],
    whileBusy: true,
    worker: 'welcomed',
    async check(worker) {
      const active = worker.run('sleep', { ms: 500 });
      worker.notify('shutdown', { graceMs: GRACE_MS });
      expectError(await worker.answer(worker.run('sleep', { ms: 1 })), -32_006);
      expectResult(await worker.answer(active));
    },
  },
  {
    id: 'shutdown.writes-everything',
    says: 'A result is written out completely before the worker exits.',
    tasks: ['big'],
    worker: 'welcomed',
    async check(worker) {
      const id = worker.nextId();
      worker.channel.pause();
      worker.write(
        frame({ id, method: 'run', params: runParams('big', { bytes: BIG_BYTES }) }) +
          frame({ method: 'shutdown', params: { graceMs: GRACE_MS } }),
      );
      // A host that is slow to read, so that the result does not fit into the pipe at once.
      await sleep(systemClock, 100);
      worker.channel.resume();
      expectResultOf(await worker.answer(id), 'x'.repeat(BIG_BYTES));
    },
  },
  {
    id: 'eof.exits-within-a-second',
    says: 'At the end of file on stdin the worker exits within a second.',
    worker: 'welcomed',
    async check(worker) {
      await worker.settle();
      await expectExitAtEof(worker);
    },
  },
  {
    id: 'eof.before-welcome',
    says: 'At the end of file before it was welcomed the worker exits within a second.',
    worker: 'silent',
    async check(worker) {
      await worker.hello();
      await expectExitAtEof(worker);
    },
  },
  {
    id: 'eof.while-waiting',
    says: 'At the end of file the worker exits within a second also when a task waits.',
    tasks: ['sleep'],
    worker: 'welcomed',
    async check(worker) {
      worker.run('sleep', { ms: LONG_MS });
      await sleep(systemClock, 100);
      await expectExitAtEof(worker);
    },
  },
  {
    id: 'eof.while-spinning',
    says: 'At the end of file the worker exits within a second also when a task computes.',
    tasks: ['spin'],
    worker: 'welcomed',
    async check(worker) {
      worker.run('spin', { ms: LONG_MS });
      await sleep(systemClock, 100);
      await expectExitAtEof(worker);
    },
  },
  {
    id: 'parent.gone',
    says: 'A worker exits when its parent process changes, even if something holds its stdin open.',
    level: 'should',
    worker: 'silent behind a shell',
    async check(worker) {
      await worker.welcome();
      await worker.settle();
      worker.child.kill('SIGKILL');
      await worker.exited;
      expect(await worker.channelEnds(4_000), 'It was still there four seconds later.');
    },
  },
]);

async function expectExit0(worker: RawWorker): Promise<void> {
  const exit = await worker.exit(GRACE_MS);
  expect(exit !== undefined, `It was still there ${GRACE_MS} ms later.`);
  expect(exit.code === 0, `It ended with ${exit.signal ?? `exit code ${exit.code}`}.`);
}

async function expectExitAtEof(worker: RawWorker): Promise<void> {
  worker.closeInput();
  const exit = await worker.exit(1_000);
  const last = worker.lines.at(-1);
  expect(
    exit !== undefined,
    `It was still there. The last it said was ${last === undefined ? '' : show(last)}`,
  );
}
