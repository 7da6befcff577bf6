export const stop = {
  theme: 'The end of a pool',
  checks: [
    {
      id: 'stop-idle',
      rule: 'Stopping a pool that never had anything to do ends, and it takes no run from then on.',
      source: '5.65',
      async run(t) {
        const pool = await t.open({ max: 1 });
        await t.fulfils(pool.stop(), 'stopping');
        const late = await t.settled((async () => pool.run('echo', 1))(), 3_000);
        t.ensure(late.state === 'rejected', `a run after it: ${late.state}`);
      },
    },
    {
      id: 'stop-waits-for-running',
      rule: 'Stopping in good order waits for the task that runs.',
      source: '5.66',
      async run(t) {
        const pool = await t.open({ max: 1 });
        const held = pool.run('hold', { name: 'held' });
        await t.scratch.started('held');
        const stopping = pool.finishRunning();
        await t.sleep(300);
        t.scratch.release('held');
        t.ensure(typeof (await t.fulfils(held, 'the running task')) === 'string', 'a wrong result');
        await t.fulfils(stopping, 'stopping');
      },
    },
    {
      id: 'stop-waits-for-queue',
      rule: 'And for those that wait.',
      source: '5.66',
      async run(t) {
        const pool = await t.open({ max: 1, fifo: true });
        const held = pool.run('hold', { name: 'held' });
        await t.scratch.started('held');
        const waiting = [1, 2, 3].map((value) => pool.run('mark', { name: 'order', value }));
        const stopping = pool.finishAll();
        await t.sleep(200);
        t.scratch.release('held');
        for (const run of [held, ...waiting]) await t.fulfils(run, 'a run');
        await t.fulfils(stopping, 'stopping');
        t.ensure(t.scratch.lines('order').join() === '1,2,3', `there ran ${t.scratch.lines('order')}`);
      },
    },
    {
      id: 'stop-refuses',
      rule: 'From then on a new run rejects; it is neither lost nor executed.',
      source: '5.66, 5.69',
      async run(t) {
        const pool = await t.open({ max: 1 });
        await t.fulfils(pool.run('echo', 1));
        const held = pool.run('hold', { name: 'held' });
        await t.scratch.started('held');
        const stopping = pool.finishRunning();
        const late = t.settled((async () => pool.run('mark', { name: 'late', value: 1 }))(), 4_000);
        await t.sleep(300);
        t.scratch.release('held');
        await t.settled(held);
        await t.settled(stopping);
        t.ensure((await late).state === 'rejected', `the late run: ${(await late).state}`);
        t.ensure(!t.scratch.exists('late'), 'it was executed');
      },
    },
    {
      id: 'stop-settles',
      rule: 'Stopping at once rejects what runs and what waits, and ends.',
      source: '5.67, 5.68, 3.24',
      limitMs: 25_000,
      async run(t) {
        const pool = await t.open({ max: 1, graceMs: 500 });
        const running = pool.run('hold', { name: 'held' });
        await t.scratch.started('held');
        const waiting = [1, 2].map((value) => pool.run('mark', { name: 'order', value }));
        const stopping = pool.stop();
        await t.rejects(running, 'the running task', 8_000);
        for (const run of waiting) await t.rejects(run, 'a waiting run', 8_000);
        await t.fulfils(stopping, 'stopping', 8_000);
      },
    },
    {
      id: 'stop-stubborn',
      rule: 'It ends, and the task with it, also when that ignores SIGTERM and never lets go of its thread.',
      source: '5.68, 3.24',
      limitMs: 30_000,
      async run(t) {
        const pool = await t.open({ max: 1, graceMs: 500 });
        const running = pool.run('ignoreTerminate');
        await t.scratch.started('spin');
        await t.fulfils(pool.stop(), 'stopping', 10_000);
        await t.rejects(running, 'the running task');
        const before = t.scratch.text('beat');
        await t.sleep(500);
        t.ensure(t.scratch.text('beat') === before, 'the task still runs');
      },
    },
    {
      id: 'stop-no-needless-kill',
      rule: 'A worker that cleans up on SIGTERM is let finish, not killed.',
      source: '5.45',
      limitMs: 25_000,
      async run(t) {
        const pool = await t.open({ max: 1, graceMs: 900, terminates: true });
        void pool.run('cleanOnTerminate');
        await t.scratch.started('waits');
        await t.settled(pool.stop(), 8_000);
        await t.until(() => t.scratch.exists('cleaned'), 'it was not let finish', 3_000);
      },
    },
    {
      id: 'stop-together',
      rule: 'Three stubborn workers are stopped together, not one after another: in less than three graces.',
      source: '0.2g, 5.68',
      limitMs: 30_000,
      async run(t) {
        const pool = await t.open({ max: 3, graceMs: 1_500, processes: true });
        const runs = [1, 2, 3].map(() => pool.run('ignoreTerminate'));
        await t.scratch.started('spin', 3);
        const from = performance.now();
        await t.fulfils(pool.stop(), 'stopping', 15_000);
        for (const run of runs) await t.rejects(run);
        const tookMs = performance.now() - from;
        t.ensure(tookMs < 4_500, `it took ${Math.round(tookMs)} ms`);
      },
    },
    {
      id: 'stop-twice',
      rule: 'Stopping twice at once and once more later is no error, and no run is taken then.',
      source: '5.69',
      async run(t) {
        const pool = await t.open({ max: 1 });
        t.ensure((await t.fulfils(pool.run('echo', 1))) === 1, 'a wrong result');
        const both = [pool.stop(), pool.stop()];
        for (const each of both) await t.fulfils(each, 'stopping');
        await t.fulfils((async () => pool.stop())(), 'stopping once more');
        await t.rejects((async () => pool.run('echo', 2))(), 'a run after it', 3_000);
      },
    },
    {
      id: 'stop-report',
      rule: 'The end says whether all ended by itself or force was needed.',
      source: '5.71',
      limitMs: 25_000,
      async run(t) {
        const calm = await t.open({ max: 1, graceMs: 500 });
        await t.fulfils(calm.run('echo', 1));
        t.ensure(
          (await t.fulfils(calm.stopReport(), 'stopping', 10_000)) === true,
          'a calm end is reported as forced',
        );
        const wild = await t.open({ max: 1, graceMs: 500 });
        void wild.run('ignoreTerminate');
        await t.scratch.started('spin');
        t.ensure((await t.fulfils(wild.stopReport(), 'stopping', 10_000)) === false, 'force is not reported');
      },
    },
    {
      id: 'stop-dispose',
      rule: '`await using` stops the pool.',
      source: '5.73',
      async run(t) {
        const pool = await t.open({ max: 1 });
        await t.fulfils(pool.run('echo', 1));
        await t.fulfils(pool.dispose(), 'leaving the block');
        await t.rejects((async () => pool.run('echo', 2))(), 'a run after it', 3_000);
      },
    },
    {
      id: 'stop-teardown',
      rule: 'What a worker does when it is asked to end is done.',
      source: '5.77',
      async run(t) {
        const pool = await t.open({ max: 1, teardown: true });
        await t.fulfils(pool.run('echo', 1));
        await t.settled(gently(pool), 8_000);
        await t.until(() => t.scratch.exists('torn-down'), 'it was not', 2_000);
      },
    },
    {
      id: 'stop-teardown-hangs',
      rule: 'If that never ends, the pool does all the same.',
      source: '5.77',
      limitMs: 25_000,
      async run(t) {
        t.scratch.write('teardown-hangs');
        const pool = await t.open({ max: 1, teardown: true, graceMs: 500 });
        await t.fulfils(pool.run('echo', 1));
        await t.fulfils(gently(pool), 'stopping', 12_000);
        t.ensure(t.scratch.exists('torn-down'), 'it was not done');
      },
    },
  ],
};

/** In good order where the pool knows how to. */
async function gently(pool) {
  try {
    return await pool.finishRunning();
  } catch (error) {
    if (error.constructor.name !== 'NotOffered') throw error;
    return pool.stop();
  }
}
