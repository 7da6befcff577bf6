import { getEventListeners } from 'node:events';
import { beatStops } from './beat.mjs';

const reason = () => new Error('the user left');
const mentions = (error, what) => error === what || error?.cause === what;

export const cancel = {
  theme: 'Cancelling',
  checks: [
    {
      id: 'cancel-before',
      rule: 'A signal that was aborted before rejects at once with its reason, as itself or as cause, and nothing runs.',
      source: '5.33',
      async run({ open, rejects, ensure, scratch, fulfils }) {
        const pool = await open({ max: 1 });
        await fulfils(pool.run('echo', 1));
        const why = reason();
        const error = await rejects(
          (async () =>
            pool.run(
              'mark',
              { name: 'ran', value: 1 },
              { signal: AbortSignal.abort(why), takesSignals: true },
            ))(),
        );
        ensure(mentions(error, why), `the error is ${error?.name}: ${error?.message}`);
        await fulfils(pool.run('echo', 2));
        ensure(!scratch.exists('ran'), 'the task ran');
      },
    },
    {
      id: 'cancel-running',
      rule: 'A running task that waits is cancelled: its run rejects as aborted, not as a worker that died, and the pool goes on.',
      source: '5.34',
      async run({ open, rejects, ensure, scratch, usable }) {
        const pool = await open({ max: 1 });
        const control = new AbortController();
        const run = pool.run('hold', { name: 'held' }, { signal: control.signal });
        await scratch.started('held');
        const why = reason();
        control.abort(why);
        const error = await rejects(run);
        const isAborted = mentions(error, why) || /abort|cancel/i.test(`${error?.name} ${error?.message}`);
        ensure(isAborted, `the error is ${error?.name}: ${error?.message}`);
        scratch.release('held');
        await usable(pool);
      },
    },
    {
      id: 'cancel-spinning',
      rule: 'So is one that never lets go of its thread: it ceases to run, and the pool of one goes on.',
      source: '0.1.10, 3.7',
      limitMs: 25_000,
      async run(t) {
        const pool = await t.open({ max: 1, graceMs: 500 });
        const control = new AbortController();
        const run = pool.run('spin', null, { signal: control.signal });
        await t.scratch.started('spin');
        control.abort();
        await t.rejects(run);
        await beatStops(t);
        await t.usable(pool);
      },
    },
    {
      id: 'cancel-listeners',
      rule: 'No listener stays on a signal that many runs share, after success, failure or cancelling.',
      source: '5.35',
      async run({ open, settled, ensure, scratch }) {
        const pool = await open({ max: 2 });
        const control = new AbortController();
        const { signal } = control;
        for (let i = 0; i < 5; i += 1) await settled(pool.run('echo', 1, { signal, takesSignals: true }));
        for (let i = 0; i < 5; i += 1)
          await settled(pool.run('throwRich', 1, { signal, takesSignals: true }));
        const left = getEventListeners(signal, 'abort').length;
        ensure(left === 0, `${left} after 10 runs that ended`);
        const held = pool.run('hold', { name: 'held' }, { signal, takesSignals: true });
        await scratch.started('held');
        control.abort();
        ensure((await settled(held)).state === 'rejected', 'the cancelled run did not reject');
        const then = getEventListeners(signal, 'abort').length;
        ensure(then === 0, `${then} after it was aborted`);
      },
    },
    {
      id: 'cancel-neighbour',
      rule: 'Cancelling one run does not disturb another.',
      source: '5.36, 3.8',
      async run({ open, rejects, fulfils, scratch }) {
        const pool = await open({ max: 2 });
        const control = new AbortController();
        const one = pool.run('hold', { name: 'one' }, { signal: control.signal });
        const other = pool.run('hold', { name: 'other' });
        await scratch.started('one');
        await scratch.started('other');
        control.abort();
        await rejects(one);
        scratch.release('other');
        await fulfils(other, 'the other');
      },
    },
    {
      id: 'cancel-many',
      rule: 'After many runs, running and waiting, were cancelled at once, the pool goes on.',
      source: '5.37',
      limitMs: 25_000,
      async run({ open, rejects, usable, scratch }) {
        const pool = await open({ max: 2, graceMs: 500 });
        const control = new AbortController();
        const runs = Array.from({ length: 20 }, () =>
          pool.run('hold', { name: 'held' }, { signal: control.signal }),
        );
        await scratch.started('held', 2);
        control.abort();
        for (const run of runs) await rejects(run);
        await usable(pool);
      },
    },
    {
      id: 'cancel-cooperative',
      rule: 'A task can hear that it is cancelled; one that ends in time keeps its worker alive.',
      source: '5.41, 3.7',
      async run({ open, rejects, fulfils, ensure, scratch, until }) {
        const pool = await open({ max: 1, cooperateMs: 4_000 });
        const before = await fulfils(pool.run('where'));
        const control = new AbortController();
        const run = pool.run('cooperate', null, { signal: control.signal, cooperative: true });
        await scratch.started('waits');
        control.abort();
        await rejects(run);
        await until(() => scratch.exists('reason'), 'the task heard nothing');
        const after = await fulfils(pool.run('where'));
        ensure(after === before, `the worker was ${before} and is ${after}`);
      },
    },
    {
      id: 'cancel-cooperation-hangs',
      rule: 'Cleaning up that never ends is cut off after the grace.',
      source: '5.42',
      limitMs: 20_000,
      async run({ open, settled, fulfils, ensure, scratch }) {
        const pool = await open({ max: 1, graceMs: 500 });
        const before = await fulfils(pool.run('where'));
        const control = new AbortController();
        const run = pool.run('cleanForever', null, { signal: control.signal, cooperative: true });
        await scratch.started('waits');
        control.abort();
        ensure((await settled(run)).state === 'rejected', 'the run did not reject');
        const after = await fulfils(pool.run('where'), 'the next run');
        ensure(typeof after === 'string' && after !== before, 'the worker is the same');
      },
    },
    {
      id: 'cancel-reason',
      rule: 'The task is told the reason for which it was cancelled.',
      source: '5.43',
      async run({ open, rejects, ensure, until, scratch }) {
        const pool = await open({ max: 1, cooperateMs: 4_000 });
        const control = new AbortController();
        const run = pool.run('cooperate', null, {
          signal: control.signal,
          cooperative: true,
          tellsReason: true,
        });
        await scratch.started('waits');
        control.abort(reason());
        await rejects(run);
        await until(() => scratch.exists('reason'), 'the task heard nothing');
        const [said] = scratch.lines('reason');
        ensure(/the user left/.test(said), `it was told "${said}"`);
      },
    },
    {
      id: 'cancel-odd-reason',
      rule: 'A reason that can’t be sent does not keep the run from ending, the task from hearing or the pool from working.',
      source: '5.44',
      async run({ open, rejects, ensure, scratch, usable, until }) {
        const pool = await open({ max: 1, cooperateMs: 4_000 });
        const control = new AbortController();
        const run = pool.run('cooperate', null, {
          signal: control.signal,
          cooperative: true,
          tellsReason: true,
        });
        await scratch.started('waits');
        const odd = { call: () => 1, big: 1n };
        odd.self = odd;
        control.abort(odd);
        const error = await rejects(run);
        ensure(error === odd || error instanceof Error, 'the error is neither the reason nor an error');
        await until(() => scratch.exists('reason'), 'the task heard nothing');
        await usable(pool);
      },
    },
    {
      id: 'cancel-stubborn',
      rule: 'A task that ignores SIGTERM is killed after the grace.',
      source: '5.40',
      limitMs: 25_000,
      async run(t) {
        const pool = await t.open({ max: 1, graceMs: 500, processes: true });
        const control = new AbortController();
        const run = pool.run('ignoreTerminate', null, { signal: control.signal });
        await t.scratch.started('spin');
        control.abort();
        await t.rejects(run);
        await beatStops(t);
      },
    },
  ],
};
