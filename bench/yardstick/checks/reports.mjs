import { AsyncLocalStorage } from 'node:async_hooks';

const numbers = (count) => Array.from({ length: count }, (_, i) => i);

export const reports = {
  theme: 'Progress, streams and figures',
  checks: [
    {
      id: 'progress-order',
      rule: 'What a task reports on its way comes in order, all of it before the result.',
      source: '5.104, 3.17',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const steps = [];
        const run = pool.run('report', { steps: 200 }, { onProgress: ({ step }) => steps.push(step) });
        await fulfils(run);
        ensure(steps.length === 200, `${steps.length} of 200 had come with the result`);
        ensure(
          steps.every((step, i) => step === i + 1),
          'they came in another order',
        );
      },
    },
    {
      id: 'stream-order',
      rule: 'The chunks of a streaming task come in order, and then its result.',
      source: '3.17',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const stream = pool.stream('chunks', { count: 100 });
        const chunks = await fulfils(all(stream), 'the stream');
        ensure(chunks.join() === numbers(100).join(), `they came as ${chunks}`);
        ensure((await fulfils(stream.result, 'its result')) === 'all sent', 'a wrong result');
      },
    },
    {
      id: 'stream-slow-reader',
      rule: 'A slow reader slows the task.',
      source: '3.17',
      async run({ open, fulfils, ensure, sleep, scratch }) {
        const pool = await open({ max: 1 });
        const iterator = pool.stream('chunks', { count: 1_000 }, { buffer: 10 })[Symbol.asyncIterator]();
        ensure((await fulfils(iterator.next(), 'a chunk')).value === 0, 'a wrong chunk');
        await sleep(1_000);
        const sent = Number(scratch.text('emitted'));
        ensure(sent < 40, `it was ${sent} chunks ahead`);
        await iterator.return();
      },
    },
    {
      id: 'stream-left',
      rule: 'Leaving the loop ends the task.',
      source: '3.17',
      async run({ open, fulfils, ensure, usable, scratch, sleep }) {
        const pool = await open({ max: 1 });
        const iterator = pool.stream('chunks', { count: 1_000_000 })[Symbol.asyncIterator]();
        ensure((await fulfils(iterator.next(), 'a chunk')).value === 0, 'a wrong chunk');
        await iterator.return();
        await usable(pool);
        const sent = scratch.text('emitted');
        await sleep(500);
        ensure(scratch.text('emitted') === sent, 'it still sends');
      },
    },
    {
      id: 'context-kept',
      rule: 'What follows a run, awaited or in then(), has the asynchronous context of its caller.',
      source: '5.109, 3.19',
      async run({ open, settled, ensure }) {
        const pool = await open({ max: 2, retries: 0 });
        const storage = new AsyncLocalStorage();
        const seen = await Promise.all(
          ['a', 'b'].map((name) =>
            storage.run(name, async () => {
              const run = pool.run('wait', { ms: 30 });
              const inThen = run.then(() => storage.getStore());
              await run;
              const { value } = await settled(inThen);
              return `${storage.getStore()}${value}${typeof (await run)}`;
            }),
          ),
        );
        ensure(seen.join() === 'aastring,bbstring', `it was ${seen.join()}`);
      },
    },
    {
      id: 'context-in-callbacks',
      rule: 'So have the callbacks of a run.',
      source: '5.109',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const storage = new AsyncLocalStorage();
        const seen = new Set();
        const call = (name) =>
          storage.run(name, () =>
            pool.run(
              'report',
              { steps: 1 },
              { callbacks: true, onProgress: () => seen.add(`${name}${storage.getStore()}`) },
            ),
          );
        await fulfils(call('a'));
        await fulfils(call('b'));
        ensure([...seen].join() === 'aa,bb', `it was ${[...seen].join()}`);
      },
    },
    {
      id: 'context-trace',
      rule: 'A trace context given with a run reaches the task.',
      source: '3.19',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
        const seen = await fulfils(pool.run('trace', null, { trace }));
        ensure(seen === trace, `it was ${String(seen)}`);
      },
    },
    {
      id: 'figures-durations',
      rule: 'How long runs took is counted once for each that ran: for those that failed and were cancelled too.',
      source: '5.106',
      async run({ open, settled, ensure, scratch }) {
        const pool = await open({ max: 1 });
        for (let i = 0; i < 5; i += 1) await settled(pool.run('echo', i));
        for (let i = 0; i < 2; i += 1) await settled(pool.run('throwRich'));
        const control = new AbortController();
        const run = pool.run('hold', { name: 'held' }, { signal: control.signal });
        await scratch.started('held');
        control.abort();
        await settled(run);
        const counted = pool.measuredRuns();
        ensure(counted === 8, `${counted} of 8 are counted`);
      },
    },
    {
      id: 'figures-add-up',
      rule: 'The counts by how runs ended add up to those submitted.',
      source: '5.110',
      limitMs: 25_000,
      async run({ open, settled, ensure }) {
        const pool = await open({ max: 1, retries: 0, graceMs: 300 });
        const { counts } = pool;
        const control = new AbortController();
        const runs = [
          pool.run('echo', 1),
          pool.run('throwRich'),
          pool.run('exit', { code: 3 }),
          pool.run('spin', null, { timeoutMs: 500 }),
          pool.run('echo', 1, { signal: control.signal }),
          pool.run('echo', 2),
        ];
        control.abort();
        for (const run of runs) await settled(run, 9_000);
        const { submitted, ...ended } = (await counts()) ?? {};
        const expected = { succeeded: 2, failed: 1, lost: 1, timedOut: 1, cancelled: 1 };
        ensure(submitted === 6, `${submitted} of 6 are counted as submitted`);
        for (const [name, count] of Object.entries(expected))
          ensure(ended[name] === count, `${name}: ${ended[name]}`);
        ensure(
          Object.values(ended).reduce((sum, each) => sum + each) === 6,
          `by cause: ${JSON.stringify(ended)}`,
        );
      },
    },
  ],
};

async function all(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}
