const lethal = [
  { name: 'exit-0', what: 'calls process.exit(0)', task: 'exit', input: { code: 0 } },
  { name: 'exit-3', what: 'calls process.exit(3)', task: 'exit', input: { code: 3 } },
  {
    name: 'sigkill',
    what: 'is killed by SIGKILL',
    task: 'signal',
    input: { name: 'SIGKILL' },
    options: { processes: true },
  },
  {
    name: 'sigsegv',
    what: 'dies of SIGSEGV, as of a fault in native code',
    task: 'signal',
    input: { name: 'SIGSEGV' },
    options: { processes: true },
  },
  { name: 'exception', what: 'leaves an exception uncaught beside its own promise', task: 'throwLater' },
  { name: 'rejection', what: 'leaves a rejection unhandled', task: 'rejectLater' },
  { name: 'stack', what: 'overflows the stack', task: 'overflow' },
  { name: 'heap', what: 'exhausts the heap', task: 'fillHeap', options: { heapMegabytes: 40 } },
];

const exitOf = (t, options = {}) => t.open({ max: 1, retries: 0, ...options });

/** Own fields of an error and its causes, numbers and strings, without what every error has. */
function dataOf(error, depth = 0) {
  if (typeof error !== 'object' || error === null || depth > 3) return [];
  return Object.getOwnPropertyNames(error)
    .filter((name) => name !== 'message' && name !== 'stack')
    .flatMap((name) => (typeof error[name] === 'object' ? dataOf(error[name], depth + 1) : [error[name]]));
}

export const crash = {
  theme: 'Workers that die',
  checks: [
    ...lethal.map(({ name, what, task, input, options }) => ({
      id: `crash-${name}`,
      rule: `A task that ${what} rejects its run, and the pool of one goes on.`,
      source: '5.48, 3.5',
      limitMs: 40_000,
      async run(t) {
        const pool = await exitOf(t, options);
        await t.fulfils(pool.run('echo', 1));
        await t.rejects(pool.run(task, input), 'the run', name === 'heap' ? 20_000 : 8_000);
        await t.usable(pool);
      },
    })),
    {
      id: 'crash-exit-code',
      rule: 'The error of a worker that exited with code 3 says so.',
      source: '3.1',
      async run(t) {
        const pool = await exitOf(t);
        const error = await t.rejects(pool.run('exit', { code: 3 }));
        const says = t.allTextOf(error).replaceAll(/^.*stack:.*$/gm, '');
        t.ensure(dataOf(error).includes(3) || /code\D{0,12}3\b/i.test(says), `it says: ${error?.message}`);
      },
    },
    {
      id: 'crash-signal-name',
      rule: 'The error of a worker that was killed names the signal.',
      source: '3.1',
      async run(t) {
        const pool = await exitOf(t, { processes: true });
        const error = await t.rejects(pool.run('signal', { name: 'SIGKILL' }));
        t.ensure(/SIGKILL/.test(t.allTextOf(error)), `it says: ${error?.message}`);
      },
    },
    {
      id: 'crash-data',
      rule: 'The exit code is a field of the error, not only text.',
      source: '3.1, 6.1',
      async run(t) {
        const pool = await exitOf(t);
        const error = await t.rejects(pool.run('exit', { code: 3 }));
        t.ensure(dataOf(error).includes(3), `its fields are ${JSON.stringify(dataOf(error))}`);
      },
    },
    {
      id: 'crash-task-name',
      rule: 'The error names the task.',
      source: '3.1',
      async run(t) {
        const pool = await exitOf(t);
        const error = await t.rejects(pool.run('exit', { code: 7 }));
        const says = `${error?.message}\n${dataOf(error).join('\n')}`;
        t.ensure(/^exit$|"exit"|'exit'|`exit`/m.test(says), `it says: ${error?.message}`);
      },
    },
    {
      id: 'crash-stderr',
      rule: 'The error holds the last that the worker wrote to stderr.',
      source: '5.61, 3.1',
      async run(t) {
        const pool = await exitOf(t);
        const error = await t.rejects(pool.run('complainAndExit', { text: 'disk 7 is full\n' }));
        t.ensure(/disk 7 is full/.test(t.allTextOf(error)), `it says: ${error?.message}`);
      },
    },
    {
      id: 'crash-stderr-bounded',
      rule: 'Of a megabyte on stderr it holds a bounded end, cut between characters.',
      source: '5.61',
      async run(t) {
        const pool = await exitOf(t);
        const error = await t.rejects(pool.run('complainAndExit', { text: 'a€', times: 250_000 }));
        const says = t.allTextOf(error);
        t.ensure(/a€a€a€/.test(says), 'it holds nothing of it');
        t.ensure(!says.includes('\uFFFD'), 'it is cut within a character');
        t.ensure(says.length < 200_000, `it is ${says.length} characters long`);
      },
    },
    {
      id: 'crash-once',
      rule: 'A task that kills its worker is not executed again unless somebody asked for that.',
      source: '5.57, 3.14',
      async run(t) {
        const pool = await t.open({ max: 1 });
        await t.rejects(pool.run('exit', { code: 3 }), 'the run', 10_000);
        await t.sleep(500);
        const times = t.scratch.lines('executions').length;
        t.ensure(times === 1, `it was executed ${times} times`);
      },
    },
    {
      id: 'crash-retry',
      rule: 'Two retries that were asked for are three executions, and then its error.',
      source: '5.57, 3.14',
      async run(t) {
        const pool = await t.open({ max: 1, retries: 2 });
        await t.rejects(pool.run('exit', { code: 3 }), 'the run', 10_000);
        const times = t.scratch.lines('executions').length;
        t.ensure(times === 3, `it was executed ${times} times`);
      },
    },
    {
      id: 'crash-late',
      rule: 'An exception after its result leaves the result alone, and the pool goes on.',
      source: '5.49',
      async run(t) {
        const pool = await exitOf(t, { livelyWhileIdle: true });
        t.ensure((await t.fulfils(pool.run('throwAfter'))) === 'result', 'a wrong result');
        await t.sleep(600);
        await t.usable(pool);
      },
    },
    {
      id: 'crash-late-reported',
      rule: 'And the pool tells whoever listens.',
      source: '5.49',
      async run(t) {
        const pool = await exitOf(t, { livelyWhileIdle: true });
        let told = 0;
        pool.onFault(() => {
          told += 1;
        });
        await t.fulfils(pool.run('throwAfter'));
        await t.until(() => told > 0, 'it told nothing');
      },
    },
    {
      id: 'crash-neighbours',
      rule: 'The runs of the other workers do not notice.',
      source: '5.51, 3.13',
      async run(t) {
        const pool = await t.open({ max: 3, retries: 0 });
        const others = ['one', 'two'].map((name) => pool.run('hold', { name }));
        for (const name of ['one', 'two']) await t.scratch.started(name);
        await t.rejects(pool.run('exit', { code: 3 }));
        for (const name of ['one', 'two']) t.scratch.release(name);
        for (const run of others) await t.fulfils(run, 'another run');
      },
    },
    {
      id: 'crash-queue',
      rule: 'The runs that wait behind a task that kills its worker are executed by the next.',
      source: '5.48, 3.5',
      async run(t) {
        const pool = await exitOf(t, { fifo: true });
        const held = pool.run('hold', { name: 'held' });
        await t.scratch.started('held');
        const fatal = pool.run('exit', { code: 3 });
        const behind = [1, 2, 3].map((value) => pool.run('mark', { name: 'order', value }));
        t.scratch.release('held');
        await t.fulfils(held);
        await t.rejects(fatal);
        for (const run of behind) await t.fulfils(run, 'a run behind it');
        t.ensure(t.scratch.lines('order').join() === '1,2,3', `they ran as ${t.scratch.lines('order')}`);
      },
    },
    {
      id: 'crash-resubmit',
      rule: 'Who hears of the crash can submit the next run on the spot.',
      source: '5.53',
      async run(t) {
        const pool = await exitOf(t);
        const next = (async () => {
          try {
            await pool.run('exit', { code: 3 });
          } catch {
            return pool.run('echo', 'again');
          }
          return 'no crash';
        })();
        t.ensure((await t.fulfils(next, 'one of the two runs')) === 'again', 'a wrong result');
      },
    },
    {
      id: 'crash-races',
      rule: 'Of 60 runs on four workers, a third of which kill theirs, each settles as it should.',
      source: '5.54',
      limitMs: 60_000,
      async run(t) {
        const pool = await t.open({ max: 4, retries: 0 });
        const runs = Array.from({ length: 60 }, (_, i) => pool.run('maybeExit', { dies: i % 3 === 1 }));
        for (const [i, run] of runs.entries()) {
          if (i % 3 === 1) await t.rejects(run, `run ${i}, which kills its worker,`, 20_000);
          else t.ensure((await t.fulfils(run, `run ${i}`, 20_000)) === 'lived', 'a wrong result');
        }
      },
    },
    {
      id: 'crash-large-input',
      rule: 'Megabytes on their way to a worker that dies raise nothing in the host that nobody can catch.',
      source: '5.63',
      limitMs: 25_000,
      async run(t) {
        const pool = await t.open({ max: 2, retries: 0 });
        const text = 'x'.repeat(3_000_000);
        const runs = [];
        for (let i = 0; i < 6; i += 1) runs.push(pool.run(i % 2 === 0 ? 'exit' : 'echo', { code: 3, text }));
        for (const [i, run] of runs.entries()) {
          const { state } = await t.settled(run, 12_000);
          t.ensure(state !== 'pending', `run ${i} did not settle within 12 s`);
          t.ensure(i % 2 === 1 || state === 'rejected', `run ${i}, which kills its worker, gave a result`);
        }
        await t.usable(pool);
      },
    },
    {
      id: 'crash-after-result',
      rule: 'A large result right before process.exit() arrives, or its run rejects; either way it ends.',
      source: '3.21, 0.1.6',
      async run(t) {
        const pool = await exitOf(t);
        const { state, value } = await t.settled(pool.run('exitAfter', { size: 1_000_000 }));
        t.ensure(state !== 'pending', 'the run did not settle within 6 s');
        t.ensure(state === 'rejected' || value?.length === 1_000_000, `${value?.length} characters came`);
        // Until the pool knows that the worker is gone, it may hand it the next run.
        await t.sleep(600);
        await t.usable(pool);
      },
    },
  ],
};
