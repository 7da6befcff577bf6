export const basics = {
  theme: 'Basics',
  checks: [
    {
      id: 'basics-result',
      rule: 'What a task returns reaches the caller, whether it returns at once or later.',
      source: '5.1',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const both = [
          await fulfils(pool.run('echo', { a: 1 })),
          await fulfils(pool.run('addLater', { a: 2, b: 3 })),
        ];
        ensure(both[0]?.a === 1 && both[1] === 5, `got ${JSON.stringify(both)}`);
      },
    },
    {
      id: 'basics-undefined',
      rule: 'A task that returns nothing resolves with undefined, and a call without input works.',
      source: '5.2',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const value = await fulfils(pool.run('nothing'));
        ensure(value === undefined, `got ${String(value)}`);
        ensure((await fulfils(pool.run('echo', 'x'))) === 'x', 'no result after it');
      },
    },
    {
      id: 'basics-unknown-task',
      rule: 'An unknown task rejects with an error that names it.',
      source: '5.3',
      async run({ open, rejects, ensure }) {
        const pool = await open({ max: 1 });
        const error = await rejects((async () => pool.run('nonesuch', 1))());
        ensure(/nonesuch/.test(error?.message), `the message is "${error?.message}"`);
      },
    },
    {
      id: 'basics-commonjs',
      rule: 'A CommonJS module of tasks loads.',
      source: '5.4',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1, module: 'plainCjs' });
        ensure((await fulfils(pool.run('echo', 'common'))) === 'common', 'a wrong result');
      },
    },
    {
      id: 'basics-es-module',
      rule: 'An ES module of tasks loads.',
      source: '5.4',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1, module: 'plainEsm' });
        ensure((await fulfils(pool.run('echo', 'module'))) === 'module', 'a wrong result');
      },
    },
    {
      id: 'basics-asynchronous-start',
      rule: 'No task runs before the asynchronous start of its module is over.',
      source: '5.5',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1, module: 'starting' });
        ensure((await fulfils(pool.run('isBooted'))) === true, 'the first task ran before');
      },
    },
    {
      id: 'basics-early-runs',
      rule: 'Runs that are submitted while a module takes its time to start are served when it has.',
      source: '5.5, 5.100',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1, module: 'starting' });
        const runs = [1, 2, 3].map((i) => pool.run('echo', i));
        for (const run of runs) await fulfils(run);
        ensure((await fulfils(runs[2])) === 3, 'a wrong result');
      },
    },
    ...[
      { name: 'negative', what: 'A negative number of workers', options: { max: -1 }, word: 'max' },
      { name: 'fraction', what: 'A fraction as number of workers', options: { max: 1.5 }, word: 'max' },
      { name: 'relation', what: 'A minimum above the maximum', options: { min: 3, max: 2 }, word: 'min' },
    ].map(({ name, what, options, word }) => ({
      id: `basics-option-${name}`,
      rule: `${what} is refused when the pool is made, by an error that names the option.`,
      source: '5.6',
      async run({ open, peer, rejects, ensure }) {
        const error = await rejects(open(options), 'making the pool');
        ensure(peer.words[word]?.test(error?.message), `the message is "${error?.message}"`);
      },
    })),
    {
      id: 'basics-option-unknown',
      rule: 'An option that does not exist, such as a misspelt one, is refused by an error that names it.',
      source: '5.6',
      async run({ open, rejects, ensure }) {
        const error = await rejects(open({ max: 1, own: { maxWorkesr: 2 } }), 'making the pool');
        ensure(/maxWorkesr/.test(error?.message), `the message is "${error?.message}"`);
      },
    },
    {
      id: 'basics-inherited-option',
      rule: 'An option that somebody put on Object.prototype is not taken for the caller’s.',
      source: '5.7',
      async run({ open, peer, settled, ensure }) {
        const { env = 'env' } = peer.words;
        // oxlint-disable-next-line no-extend-native -- what a polluted prototype does is the subject
        Object.prototype[env] = { ...process.env, POLLUTED: 'yes' };
        const value = (async () => (await open({ max: 1 })).run('environment', { name: 'POLLUTED' }))();
        const outcome = await settled(value).finally(() => delete Object.prototype[env]);
        // To refuse a polluted program is as good.
        ensure(outcome.state !== 'pending', 'the run did not settle within 6 s');
        ensure(
          outcome.state === 'rejected' || outcome.value === null,
          `the worker has POLLUTED=${outcome.value}`,
        );
      },
    },
    {
      id: 'basics-environment',
      rule: 'Variables given for the workers reach them.',
      source: '5.8',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1, env: { GIVEN: 'a b=c' } });
        const value = await fulfils(pool.run('environment', { name: 'GIVEN' }));
        ensure(value === 'a b=c', `GIVEN is ${value}`);
      },
    },
    {
      id: 'basics-folder',
      rule: 'The working folder given for the workers is theirs.',
      source: '5.8',
      async run({ open, fulfils, ensure, scratch }) {
        const pool = await open({ max: 1, cwd: scratch.folder });
        const value = await fulfils(pool.run('folder'));
        ensure(value === scratch.folder, `it is ${value}`);
      },
    },
    {
      id: 'basics-node-arguments',
      rule: 'Arguments for Node itself reach the workers.',
      source: '5.8',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1, nodeArguments: ['--no-deprecation'] });
        const value = await fulfils(pool.run('nodeArguments'));
        ensure(value?.includes('--no-deprecation'), `they are ${JSON.stringify(value)}`);
      },
    },
    {
      id: 'basics-two-pools',
      rule: 'A busy pool does not hold up, or count in, another one of the same process.',
      source: '5.9',
      async run({ open, fulfils, ensure, scratch }) {
        const [busy, free] = [await open({ max: 1 }), await open({ max: 1 })];
        const held = busy.run('hold', { name: 'held' });
        await scratch.started('held');
        ensure((await fulfils(free.run('echo', 'free'))) === 'free', 'a wrong result');
        scratch.release('held');
        await fulfils(held);
      },
    },
    {
      id: 'basics-pool-in-a-worker',
      rule: 'A pool made in a task of another works or is refused: either way the task ends.',
      source: '5.10',
      limitMs: 20_000,
      async run({ open, peer, kind, settled, ensure }) {
        const pool = await open({ max: 1 });
        const outcome = await settled(pool.run('nest', { peer: peer.name, kind }), 10_000);
        ensure(outcome.state !== 'pending', 'the run did not settle within 10 s');
        ensure(outcome.state === 'rejected' || outcome.value === 'from below', 'a wrong result');
      },
    },
    {
      id: 'basics-broken-globals',
      rule: 'A task that replaces the timers, console and process does not break its worker.',
      source: '5.78',
      async run({ open, fulfils, usable, ensure }) {
        const pool = await open({ max: 1 });
        ensure((await fulfils(pool.run('breakGlobals'))) === 'broken', 'a wrong result');
        await usable(pool);
      },
    },
  ],
};
