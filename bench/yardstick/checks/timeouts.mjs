import { beatStops } from './beat.mjs';

export const timeouts = {
  theme: 'Time limits',
  checks: [
    {
      id: 'timeout-from-start',
      rule: 'A time limit can count from the start of the task: waiting in the queue costs nothing.',
      source: '5.38, 3.25',
      async run({ open, fulfils, scratch, sleep, ensure }) {
        const pool = await open({ max: 1 });
        const held = pool.run('hold', { name: 'held' });
        await scratch.started('held');
        const run = pool.run('echo', 1, { timeoutMs: 1_000, timeoutFrom: 'start' });
        await sleep(1_500);
        scratch.release('held');
        await fulfils(held);
        ensure((await fulfils(run)) === 1, 'a wrong result');
      },
    },
    {
      id: 'timeout-from-submission',
      rule: 'A time limit can count from the submission: a run ends while it waits.',
      source: '5.38, 3.25',
      async run({ open, rejects, scratch }) {
        const pool = await open({ max: 1 });
        void pool.run('hold', { name: 'held' });
        await scratch.started('held');
        await rejects(
          pool.run('echo', 1, { timeoutMs: 300, timeoutFrom: 'submit' }),
          'the waiting run',
          3_000,
        );
      },
    },
    {
      id: 'timeout-spinning',
      rule: 'A task that never lets go of its thread is ended by its time limit, and the pool of one goes on.',
      source: '0.1.5, 3.25',
      limitMs: 25_000,
      async run(t) {
        const pool = await t.open({ max: 1, graceMs: 500 });
        await t.fulfils(pool.run('echo', 1));
        await t.rejects(pool.run('spin', null, { timeoutMs: 700 }));
        await beatStops(t);
        await t.usable(pool);
      },
    },
    {
      id: 'timeout-slot',
      rule: 'The run after one that timed out starts within a second and a half, whatever becomes of the old worker.',
      source: '0.1.5, 3.25',
      async run({ open, rejects, fulfils, scratch }) {
        const pool = await open({ max: 1 });
        await fulfils(pool.run('echo', 1));
        const spinning = pool.run('spin', null, { timeoutMs: 500 });
        await scratch.started('spin');
        const next = pool.run('echo', 2);
        await rejects(spinning);
        await fulfils(next, 'the next run', 1_500);
      },
    },
    {
      id: 'timeout-says-where',
      rule: 'The error of a task that spins says in which function it was stuck.',
      source: '3.22',
      async run({ open, rejects, fulfils, ensure, allTextOf }) {
        const pool = await open({ max: 1 });
        await fulfils(pool.run('echo', 1));
        const error = await rejects(pool.run('spin', null, { timeoutMs: 2_000 }));
        ensure(/spinInTheTask/.test(allTextOf(error)), `it says: ${error?.message}`);
      },
    },
  ],
};
