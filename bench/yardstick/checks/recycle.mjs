/** Whether a worker is a thread of this process. */
const isThread = (where) => where?.startsWith(`${process.pid}/`);

export const recycle = {
  theme: 'Replacing workers',
  checks: [
    {
      id: 'recycle-single-use',
      rule: 'Every run can have a worker of its own.',
      source: '3.16, 5.14',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1, singleUse: true });
        const workers = new Set();
        for (let i = 0; i < 3; i += 1) workers.add(await fulfils(pool.run('where')));
        ensure(workers.size === 3, `3 runs had ${workers.size} workers`);
      },
    },
    {
      id: 'recycle-runs',
      rule: 'A worker can be replaced after so many runs, and no run is lost by it.',
      source: '3.16',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1, maxRuns: 5, jitter: 0 });
        const runs = Array.from({ length: 20 }, () => pool.run('where'));
        const counts = new Map();
        for (const run of runs) {
          const worker = await fulfils(run);
          counts.set(worker, (counts.get(worker) ?? 0) + 1);
        }
        ensure([...counts.values()].join() === '5,5,5,5', `they ran ${[...counts.values()].join()}`);
      },
    },
    {
      id: 'recycle-jitter',
      rule: 'With jitter the workers do not all leave after the same number of runs.',
      source: '5.81, 3.16',
      limitMs: 30_000,
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1, maxRuns: 12, jitter: 0.9 });
        const counts = new Map();
        // Long enough for a new worker to be there before the old one has served its last run.
        for (const run of Array.from({ length: 80 }, () => pool.run('wait', { ms: 60 }))) {
          const worker = await fulfils(run, 'a run', 15_000);
          counts.set(worker, (counts.get(worker) ?? 0) + 1);
        }
        const whole = [...counts.values()].slice(0, -1);
        ensure(whole.length > 3 && new Set(whole).size > 1, `they ran ${whole.join()}`);
      },
    },
    {
      id: 'recycle-memory',
      rule: 'A worker that passed its memory limit is replaced after its run.',
      source: '5.82',
      limitMs: 30_000,
      async run({ open, fulfils, sleep, ensure }) {
        const pool = await open({ max: 1, memoryLimitBytes: 150_000_000 });
        const before = await fulfils(pool.run('allocate', { megabytes: 250 }), 'the run', 10_000);
        let after = before;
        for (let i = 0; i < 30 && after === before; i += 1) {
          await sleep(200);
          after = await fulfils(pool.run('where'));
        }
        ensure(typeof before === 'string' && after !== before, 'it was not');
      },
    },
    {
      id: 'recycle-memory-below',
      rule: 'One below its limit stays.',
      source: '5.82',
      limitMs: 20_000,
      async run({ open, fulfils, sleep, ensure }) {
        const pool = await open({ max: 1, memoryLimitBytes: 600_000_000 });
        const before = await fulfils(pool.run('allocate', { megabytes: 20 }), 'the run', 10_000);
        await sleep(2_500);
        const after = await fulfils(pool.run('where'));
        ensure(typeof before === 'string' && after === before, `${before} became ${after}`);
      },
    },
    {
      id: 'recycle-while-stopping',
      rule: 'Stopping a pool in the midst of replacing workers ends.',
      source: '5.64',
      limitMs: 25_000,
      async run({ open, settled, fulfils, sleep, rejects, ensure }) {
        const pool = await open({ max: 2, singleUse: true });
        const runs = Array.from({ length: 8 }, (_, i) => pool.run('echo', i));
        ensure((await fulfils(runs[1])) === 1, 'a wrong result');
        await fulfils(pool.stop(), 'stopping', 8_000);
        for (const run of runs) ensure((await settled(run)).state !== 'pending', 'a run did not settle');
        await sleep(300);
        await rejects((async () => pool.run('echo', 1))(), 'a run after it', 3_000);
      },
    },
    {
      id: 'recycle-teardown',
      rule: 'A worker that is replaced does what it does when it is asked to end.',
      source: '5.77',
      async run({ open, fulfils, until, scratch }) {
        const pool = await open({ max: 1, singleUse: true, teardown: true });
        await fulfils(pool.run('echo', 1));
        await until(() => scratch.exists('torn-down'), 'it did not');
      },
    },
    {
      id: 'recycle-other-kind',
      rule: 'Workers can be replaced by workers of another kind while the pool lives.',
      source: '5.84',
      async run({ open, kind, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const before = await fulfils(pool.run('where'));
        await fulfils(pool.recycleAs(kind === 'threads' ? 'processes' : 'threads'), 'replacing');
        const after = await fulfils(pool.run('where'));
        ensure(after !== undefined && isThread(before) !== isThread(after), `${before} became ${after}`);
      },
    },
  ],
};
