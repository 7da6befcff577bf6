import { isAlive } from '../processes.mjs';

async function descendantIsGone(t) {
  const [pid] = t.scratch.lines('descendant');
  t.ensure(pid !== undefined, 'no descendant was started');
  await t.until(() => !isAlive(pid), 'the process that the task had started lives on and was not gone');
}

export const descendants = {
  theme: 'Processes that tasks start',
  checks: [
    {
      id: 'descendants-timeout',
      rule: 'A process that a task started does not outlive the time limit of its run.',
      source: '5.46, 3.4',
      limitMs: 25_000,
      async run(t) {
        const pool = await t.open({ max: 1, graceMs: 500 });
        await t.fulfils(pool.run('echo', 1));
        await t.rejects(pool.run('startDescendant', {}, { timeoutMs: 1_000 }));
        await descendantIsGone(t);
      },
    },
    {
      id: 'descendants-cancel',
      rule: 'Nor the cancelling of its run.',
      source: '5.46, 3.4',
      limitMs: 25_000,
      async run(t) {
        const pool = await t.open({ max: 1, graceMs: 500 });
        const control = new AbortController();
        const run = pool.run('startDescendant', {}, { signal: control.signal });
        await t.until(() => t.scratch.exists('descendant'), 'the task did not start');
        control.abort();
        await t.rejects(run);
        await descendantIsGone(t);
      },
    },
    {
      id: 'descendants-crash',
      rule: 'Nor the crash of its worker.',
      source: '5.46, 3.4',
      limitMs: 25_000,
      async run(t) {
        const pool = await t.open({ max: 1, retries: 0 });
        await t.settled(pool.run('startDescendant', { ends: 'exit' }));
        await descendantIsGone(t);
      },
    },
    {
      id: 'descendants-stop',
      rule: 'Nor the end of the pool.',
      source: '5.46, 3.4',
      limitMs: 25_000,
      async run(t) {
        const pool = await t.open({ max: 1, graceMs: 500 });
        const pid = await t.fulfils(pool.run('startDescendant', { ends: 'return' }));
        t.ensure(isAlive(pid), 'it was not started');
        await t.settled(pool.stop(), 8_000);
        await descendantIsGone(t);
      },
    },
  ],
};
