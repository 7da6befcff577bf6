export const boot = {
  theme: 'Workers that do not start',
  checks: [
    {
      id: 'boot-error',
      rule: 'When the module of the workers throws at load, the run rejects with that error.',
      source: '5.56, 3.12',
      limitMs: 25_000,
      async run(t) {
        t.scratch.write('boot-fails');
        const pool = await t.open({ max: 1, retries: 0 });
        const error = await t.rejects((async () => pool.run('echo', 1))(), 'the run', 12_000);
        t.ensure(/There is no licence/.test(t.allTextOf(error)), `it says: ${error?.message}`);
      },
    },
    {
      id: 'boot-error-again',
      rule: 'So does every run after it.',
      source: '0.1.1, 3.12',
      limitMs: 45_000,
      async run(t) {
        t.scratch.write('boot-fails');
        const pool = await t.open({ max: 1, retries: 0 });
        for (const which of ['first', 'second', 'third', 'fourth']) {
          await t.rejects((async () => pool.run('echo', 1))(), `the ${which} run`, 8_000);
        }
      },
    },
    {
      id: 'boot-mended',
      rule: 'Once the module loads again, the pool works again.',
      source: '3.12',
      limitMs: 40_000,
      async run(t) {
        t.scratch.write('boot-fails');
        const pool = await t.open({ max: 1, retries: 0 });
        await t.rejects((async () => pool.run('echo', 1))(), 'the first run', 8_000);
        t.scratch.remove('boot-fails');
        await t.until(
          async () => (await t.settled((async () => pool.run('echo', 2))(), 4_000)).state === 'fulfilled',
          'no run worked',
          12_000,
        );
      },
    },
    {
      id: 'boot-loop',
      rule: 'A module that throws at load is not started over and over: at most 30 times in three seconds.',
      source: '5.59, 3.11',
      limitMs: 25_000,
      async run(t) {
        t.scratch.write('boot-fails');
        const pool = await t.open({ max: 1, retries: 0 });
        const run = t.settled((async () => pool.run('echo', 1))(), 8_000);
        await t.sleep(3_000);
        const starts = t.scratch.lines('boots').length;
        t.ensure(starts > 0 && starts <= 30, `it was started ${starts} times`);
        t.ensure((await run).state === 'rejected', 'the run did not reject');
      },
    },
    {
      id: 'boot-loop-limit',
      rule: 'Beyond its limit of starts the pool gives up, says so once and refuses runs with an error of that kind, also when all went well before.',
      source: '5.59, 3.11',
      limitMs: 30_000,
      async run(t) {
        const pool = await t.open({ max: 1, retries: 0, startLimit: { maxRestarts: 2, withinMs: 30_000 } });
        let gaveUp = 0;
        pool.onGaveUp(() => {
          gaveUp += 1;
        });
        await t.fulfils(pool.run('echo', 1));
        t.scratch.write('boot-fails');
        await t.rejects(pool.run('exit', { code: 3 }));
        let error;
        await t.until(async () => {
          error = await t.rejects(pool.run('echo', 1));
          return gaveUp > 0;
        }, 'it never gave up');
        error = await t.rejects(pool.run('echo', 1));
        t.ensure(error.code === 'CRASH_LOOP', `the error is ${error.message}`);
        t.ensure(gaveUp === 1, `it said so ${gaveUp} times`);
        t.ensure(t.scratch.lines('boots').length <= 6, `${t.scratch.lines('boots').length} starts`);
      },
    },
  ],
};
