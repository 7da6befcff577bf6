import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { makeValue } from '../children/values.cjs';

const kinds = {
  circular: 'A circular object',
  bigint: 'A BigInt',
  map: 'A Map',
  set: 'A Set',
  date: 'A Date',
  buffer: 'A Buffer',
  function: 'A function',
};

const asBytes = (value) => (value?.value instanceof Uint8Array ? { value: [...value.value] } : value);
const isSame = (a, b) => isDeepStrictEqual(asBytes(a), asBytes(b));

/** As it was, or an error that says what is wrong: not something else in silence. */
async function arrivesOrRejects({ settled, ensure, inOneLine }, run, expected) {
  const { state, value, error } = await settled(run);
  ensure(state !== 'pending', 'the run did not settle within 6 s');
  if (state === 'fulfilled') ensure(isSame(value, expected), `it became ${inOneLine(value)}`);
  else ensure(error instanceof Error && error.message.length > 10, `the error says ${inOneLine(error)}`);
}

export const data = {
  theme: 'Inputs and results',
  checks: [
    ...Object.entries(kinds).map(([kind, what]) => ({
      id: `data-result-${kind}`,
      rule: `${what} in a result arrives as it was, or the run rejects and says why; the worker serves the next run.`,
      source: '5.85, 5.86, 3.10',
      async run(t) {
        const pool = await t.open({ max: 1, retries: 0 });
        const before = await t.fulfils(pool.run('where'));
        await arrivesOrRejects(t, pool.run('valueOf', { kind }), makeValue(kind));
        const after = await t.fulfils(pool.run('where'), 'the next run');
        t.ensure(typeof after === 'string' && before === after, 'the worker was replaced');
      },
    })),
    ...Object.entries(kinds).map(([kind, what]) => ({
      id: `data-input-${kind}`,
      rule: `${what} in an input arrives as it was, or its run rejects and says why; the pool goes on.`,
      source: '5.85, 3.10',
      async run(t) {
        const pool = await t.open({ max: 1, retries: 0 });
        const value = makeValue(kind);
        // It goes both ways, and what of it is lost on one of them can't come back.
        await arrivesOrRejects(t, (async () => pool.run('echo', value))(), value);
        await t.usable(pool);
      },
    })),
    {
      id: 'data-undefined-fields',
      rule: 'Fields that are undefined do not disturb the others.',
      source: '5.85',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const value = await fulfils(pool.run('echo', { a: undefined, b: 1 }));
        ensure(value?.b === 1 && value.a === undefined, `it became ${JSON.stringify(value)}`);
      },
    },
    {
      id: 'data-large',
      rule: 'Ten megabytes of text with characters of all lengths come back as they went.',
      source: '3.21, 5.91',
      limitMs: 30_000,
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const text = 'a\u00E9\u20AC\u{1F600}"\\\n\u2028'.repeat(700_000);
        ensure((await fulfils(pool.run('echo', { text }), 'the run', 20_000))?.text === text, 'they differ');
      },
    },
    {
      id: 'data-limit',
      rule: 'An input or a result above the limit of a message rejects its run, and the worker serves the next.',
      source: '5.94, 3.21',
      async run({ open, rejects, fulfils, ensure }) {
        const pool = await open({ max: 1, maxMessageBytes: 100_000 });
        const before = await fulfils(pool.run('where'));
        await rejects(pool.run('echo', 'x'.repeat(200_000)), 'the large input');
        await rejects(pool.run('large', { size: 200_000 }), 'the large result');
        ensure((await fulfils(pool.run('where'))) === before, 'the worker was replaced');
      },
    },
    {
      id: 'data-transfer',
      rule: 'A buffer can be handed over: the sender has it no more.',
      source: '5.89',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const bytes = new Uint8Array(1_000);
        const size = await fulfils(pool.run('sizeOf', bytes, { transferList: [bytes.buffer] }));
        ensure(size === 1_000, `the task saw ${size} bytes`);
        ensure(bytes.byteLength === 0, 'the sender still has it');
      },
    },
    {
      id: 'data-not-kept',
      rule: 'The pool does not keep the input of a run that is over.',
      source: '5.76',
      limitMs: 20_000,
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 1 });
        const seen = [];
        for (let i = 0; i < 5; i += 1) {
          seen.push(await runOnce(pool, fulfils, ensure));
        }
        await fulfils(pool.run('echo', 'another'));
        await fulfils(pool.run('echo', 'and another'));
        let kept = seen.length;
        for (let i = 0; i < 20 && kept > 0; i += 1) {
          await sleep(50);
          globalThis.gc();
          kept = seen.filter((each) => each.deref() !== undefined).length;
        }
        ensure(kept === 0, `${kept} of 5 are kept`);
      },
    },
  ],
};

async function runOnce(pool, fulfils, ensure) {
  const input = { text: 'x'.repeat(100_000) };
  const seen = new WeakRef(input);
  ensure((await fulfils(pool.run('echo', input)))?.text.length === 100_000, 'a wrong result');
  return seen;
}
