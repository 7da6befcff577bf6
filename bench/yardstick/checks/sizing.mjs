export const sizing = {
  theme: 'Size',
  checks: [
    {
      id: 'size-minimum',
      rule: 'The pool starts with its minimum of workers once it is in use.',
      source: '5.11',
      async run({ open, fulfils, until }) {
        const pool = await open({ min: 2, max: 3 });
        await fulfils(pool.run('echo', 1));
        await until(() => pool.size() === 2, `it did not come to 2 workers, but to ${pool.size()},`);
      },
    },
    {
      id: 'size-maximum',
      rule: 'However many runs wait, no more workers than the maximum run them.',
      source: '5.11',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 2 });
        const runs = Array.from({ length: 12 }, () => pool.run('wait', { ms: 30 }));
        const workers = new Set();
        for (const run of runs) workers.add(await fulfils(run));
        ensure(!workers.has(undefined) && workers.size <= 2, `${workers.size} workers ran them`);
      },
    },
    {
      id: 'size-burst',
      rule: 'A cold pool runs a burst of as many slow tasks as it may have workers at once, not one by one.',
      source: '5.12',
      limitMs: 20_000,
      async run({ open, fulfils, ensure }) {
        const pool = await open({ min: 1, max: 3 });
        const runs = [1, 2, 3].map((value) => pool.run('meet', { name: 'met', value, count: 3 }));
        for (const run of runs)
          ensure((await fulfils(run, 'a run', 12_000)) === true, 'they did not run together');
      },
    },
    {
      id: 'size-idle',
      rule: 'Workers beyond the minimum leave after the idle timeout, and the minimum stays.',
      source: '5.13',
      async run({ open, fulfils, until, ensure, sleep }) {
        const pool = await open({ min: 1, max: 3, idleTimeoutMs: 300 });
        const runs = [1, 2, 3].map((value) => pool.run('meet', { name: 'met', value, count: 3 }));
        for (const run of runs) await fulfils(run, 'a run', 9_000);
        await until(() => pool.size() === 1, 'the others did not leave');
        await sleep(700);
        ensure(pool.size() === 1, `then ${pool.size()} are left`);
      },
    },
    {
      id: 'size-idle-never',
      rule: 'With an infinite idle timeout no worker leaves.',
      source: '5.13',
      async run({ open, fulfils, ensure, sleep }) {
        const pool = await open({ min: 1, max: 3, idleTimeoutMs: Infinity });
        const runs = [1, 2, 3].map((value) => pool.run('meet', { name: 'met', value, count: 3 }));
        for (const run of runs) await fulfils(run, 'a run', 9_000);
        await sleep(1_000);
        ensure(pool.size() === 3, `${pool.size()} are left`);
      },
    },
    {
      id: 'size-zero',
      rule: 'A pool that shrank to no worker works again.',
      source: '5.14',
      async run({ open, fulfils, until, usable }) {
        const pool = await open({ min: 0, max: 2, idleTimeoutMs: 200 });
        await fulfils(pool.run('echo', 1));
        await until(() => pool.size() === 0, 'it did not shrink to none');
        await usable(pool);
      },
    },
    {
      id: 'size-zero-single-use',
      rule: 'So does one whose workers serve one run each.',
      source: '5.14',
      async run({ open, fulfils, until, usable }) {
        const pool = await open({ min: 0, max: 2, idleTimeoutMs: 200, singleUse: true });
        await fulfils(pool.run('echo', 1));
        await until(() => pool.size() === 0, 'it did not shrink to none');
        await usable(pool);
      },
    },
    {
      id: 'size-resize',
      rule: 'Resizing up and down while tasks run loses none of them.',
      source: '5.16',
      limitMs: 30_000,
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 4 });
        const runs = Array.from({ length: 60 }, (_, value) => pool.run('mark', { name: 'ran', value }));
        for (const workers of [1, 4, 2, 3, 1]) await fulfils(pool.scaleTo(workers), 'resizing', 10_000);
        const values = [];
        for (const run of runs) values.push(await fulfils(run));
        ensure(values.join() === Array.from({ length: 60 }, (_, i) => i).join(), `got ${values.join()}`);
      },
    },
    {
      id: 'size-worker-ids',
      rule: 'The workers of a pool have different ids at every moment, also while they are replaced.',
      source: '5.19',
      async run({ open, fulfils, ensure, settled }) {
        const pool = await open({ min: 3, max: 3, retries: 0 });
        for (let round = 0; round < 5; round += 1) {
          const runs = [1, 2, 3].map(() => pool.run('wait', { ms: 20 }));
          if (round === 2) await settled(pool.run('throwLater'), 3_000);
          const ids = pool.workerIds();
          ensure(Array.isArray(ids) && ids.length > 0 && new Set(ids).size === ids.length, `they are ${ids}`);
          for (const run of runs) await fulfils(run);
        }
      },
    },
  ],
};
