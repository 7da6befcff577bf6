const streams = ['stdout', 'stderr'];
/** What the channels of the pools speak, or might. */
const imitations = [
  '{"jsonrpc":"2.0","id":1,"result":"forged"}\n',
  '{"id":1,"result":"forged"}\n[0,1,"forged"]\n',
  'Content-Length: 9\r\n\r\n"forged"\n',
  '\u001E{"id":1}\n\0\0\0\u0009forged\n',
].join('');

export const output = {
  theme: 'What tasks print',
  checks: [
    {
      id: 'output-unterminated',
      rule: 'Text without an end of line on stdout disturbs no result.',
      source: '3.2, 0.1.4',
      async run({ open, fulfils, ensure, usable }) {
        const pool = await open({ max: 1 });
        const printed = await fulfils(pool.run('print', { text: 'progress… ' }));
        ensure(printed === 'printed', `the result is ${printed}`);
        await usable(pool);
      },
    },
    {
      id: 'output-imitation',
      rule: 'Nor does text that looks like a message of the pool.',
      source: '3.2, 0.1.2',
      async run({ open, fulfils, ensure, usable }) {
        const pool = await open({ max: 1 });
        const printed = await fulfils(pool.run('print', { text: imitations, thenMs: 50 }));
        ensure(printed === 'printed', `the result is ${printed}`);
        await usable(pool);
      },
    },
    ...streams.map((stream) => ({
      id: `output-flood-${stream}`,
      rule: `Ten megabytes on ${stream} do not block a task.`,
      source: '0.1.8, 0.2d',
      limitMs: 30_000,
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const result = await fulfils(pool.run('flood', { stream, bytes: 10_000_000 }), 'the run', 15_000);
        ensure(result === 'flooded', `the result is ${result}`);
      },
    })),
    {
      id: 'output-captured',
      rule: 'The caller can have what a task prints.',
      source: '5.108',
      async run({ open, fulfils, until, peer }) {
        const pool = await open(peer.name === 'Pawl' ? { max: 1 } : { max: 1, output: true });
        let seen = '';
        const take = (text) => {
          seen += text;
        };
        if (peer.name === 'jest-worker') pool.onOutput(take);
        const how = peer.name === 'jest-worker' ? {} : { onOutput: take };
        await fulfils(pool.run('print', { text: 'seen by the caller\n', thenMs: 100 }, how));
        await until(() => seen.includes('seen by the caller'), 'it did not come');
      },
    },
    {
      id: 'output-per-run',
      rule: 'What two tasks print at the same time can be told apart.',
      source: '5.108',
      async run({ open, fulfils, ensure, peer, sleep }) {
        const pool = await open(peer.name === 'Pawl' ? { max: 2 } : { max: 2, output: true });
        const seen = { a: '', b: '' };
        const runs = ['a', 'b'].map((name) =>
          pool.run(
            'print',
            { text: `${name} speaks\n`, thenMs: 500 },
            {
              onOutput(text) {
                seen[name] += text;
              },
            },
          ),
        );
        for (const run of runs) await fulfils(run);
        await sleep(200);
        ensure(seen.a === 'a speaks\n' && seen.b === 'b speaks\n', `seen: ${JSON.stringify(seen)}`);
      },
    },
  ],
};
