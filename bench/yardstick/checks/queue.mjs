const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A pool of one worker that is busy until `release('held')`. */
async function busyPool({ open, scratch }, options = {}) {
  const pool = await open({ max: 1, fifo: true, ...options });
  const held = pool.run('hold', { name: 'held' });
  await scratch.started('held');
  return { pool, held };
}

const mark = (pool, value, how) => pool.run('mark', { name: 'order', value }, how);

/** In which order nine runs, by turns normal, urgent and low, are executed once there is a worker for them. */
async function orderByPriority(t, options) {
  const { pool, held } = await busyPool(t, options);
  const levels = ['low', 'normal', 'urgent'];
  const runs = numbers(1, 9).map((value) => mark(pool, value, { priority: levels[value % 3] }));
  t.scratch.release('held');
  for (const run of [held, ...runs]) await t.fulfils(run);
  return t.scratch.lines('order').map(Number);
}

export const queue = {
  theme: 'Queue',
  checks: [
    {
      id: 'queue-order',
      rule: 'With one worker, runs are executed in the order of their submission while always 20 wait.',
      source: '5.20, 3.18',
      async run({ open, fulfils, ensure, scratch }) {
        const pool = await open({ max: 1, fifo: true });
        const runs = numbers(1, 20).map((value) => mark(pool, value));
        for (let value = 21; value <= 80; value += 1) {
          await fulfils(runs[value - 21]);
          runs.push(mark(pool, value));
        }
        for (const run of runs) await fulfils(run);
        ensure(
          scratch.lines('order').join() === numbers(1, 80).join(),
          `they ran as ${scratch.lines('order')}`,
        );
      },
    },
    {
      id: 'queue-limit',
      rule: 'A run beyond the limit of the queue rejects, nothing is thrown at the caller, and those accepted run.',
      source: '5.21',
      async run(t) {
        const { pool, held } = await busyPool(t, { maxQueue: 2 });
        const accepted = [mark(pool, 1), mark(pool, 2)];
        let refused;
        try {
          refused = mark(pool, 3);
        } catch (error) {
          t.ensure(false, `it threw: ${error.message}`);
        }
        await t.rejects(refused);
        t.scratch.release('held');
        for (const run of [held, ...accepted]) await t.fulfils(run);
        t.ensure(t.scratch.lines('order').join() === '1,2', `then ran ${t.scratch.lines('order')}`);
      },
    },
    {
      id: 'queue-limit-code',
      rule: 'That error can be told from others by a code or a class of its own.',
      source: '5.21',
      async run(t) {
        const { pool } = await busyPool(t, { maxQueue: 1 });
        mark(pool, 1);
        const error = await t.rejects((async () => mark(pool, 2))());
        const hasClass = error instanceof Error && error.constructor !== Error;
        t.ensure(
          typeof error?.code === 'string' || hasClass,
          `it is a bare ${error?.name}: ${error?.message}`,
        );
      },
    },
    {
      id: 'queue-none',
      rule: 'A pool without a queue refuses a run at once while its workers are busy.',
      source: '5.22',
      async run({ open, scratch, rejects, fulfils, until, settled }) {
        const pool = await open({ min: 1, max: 1, maxQueue: 0 });
        // Whether a worker is there already is up to the pool.
        await until(
          async () => (await settled((async () => pool.run('echo', 1))())).state === 'fulfilled',
          'it took no run',
        );
        const held = pool.run('hold', { name: 'held' });
        await scratch.started('held');
        await rejects((async () => pool.run('echo', 2))(), 'the run', 2_000);
        scratch.release('held');
        await fulfils(held);
      },
    },
    {
      id: 'queue-drain',
      rule: 'A full queue says that it needs draining, and says once when there is room again.',
      source: '5.23',
      async run(t) {
        const limit = t.peer.name === 'poolifier' ? { queueMark: 4 } : { maxQueue: 4 };
        const { pool, held } = await busyPool(t, limit);
        let drains = 0;
        pool.onDrain(() => {
          drains += 1;
        });
        const runs = numbers(1, 4).map((value) => mark(pool, value));
        t.ensure(pool.needsDrain() === true, 'a full queue does not say so');
        t.scratch.release('held');
        for (const run of [held, ...runs]) await t.fulfils(run);
        await t.until(() => drains > 0, 'it did not say that there is room');
        t.ensure(drains === 1 && !pool.needsDrain(), `it said so ${drains} times`);
      },
    },
    {
      id: 'queue-own',
      rule: 'A queue of one’s own is used in place of the pool’s.',
      source: '5.24',
      async run(t) {
        const pushed = [];
        const waiting = [];
        const own = {
          push: (task) => waiting.push(pushed.push(task) && task),
          unshift: (task) => waiting.push(task),
          // The newest first.
          shift: () => waiting.pop() ?? null,
          pop: () => waiting.pop(),
          remove: (task) => waiting.splice(waiting.indexOf(task), 1),
          contains: (task) => waiting.includes(task),
          cancel: () => {},
          clear: () => waiting.splice(0),
          size: 0,
        };
        const sized = t.peer.name === 'workerpool' ? () => waiting.length : undefined;
        Object.defineProperty(
          own,
          'size',
          sized === undefined ? { get: () => waiting.length } : { value: sized },
        );
        const { pool, held } = await busyPool(t, { ownQueue: own });
        const runs = numbers(1, 3).map((value) => mark(pool, value));
        t.scratch.release('held');
        for (const run of [held, ...runs]) await t.fulfils(run);
        t.ensure(t.scratch.lines('order').join() === '3,2,1', `they ran as ${t.scratch.lines('order')}`);
      },
    },
    {
      id: 'queue-priority',
      rule: 'Urgent runs go before normal ones, and these before low ones.',
      source: '5.25',
      async run(t) {
        const order = await orderByPriority(t, { priorities: true });
        const levels = order.map((value) => value % 3).join('');
        t.ensure(levels === '222111000', `they ran as ${order.join()}`);
      },
    },
    {
      id: 'queue-priority-equals',
      rule: 'Runs of equal priority keep their order.',
      source: '5.25',
      async run(t) {
        const order = await orderByPriority(t, { priorities: true, equalsInOrder: true });
        t.ensure(order.join() === '2,5,8,1,4,7,3,6,9', `they ran as ${order.join()}`);
      },
    },
    {
      id: 'queue-ageing',
      rule: 'A run of low priority gets its turn while urgent ones never cease.',
      source: '5.25, 3.18',
      async run(t) {
        const ageing = t.peer.name === 'poolifier' ? { ageing: true } : { ageingMs: 50 };
        const { pool, held } = await busyPool(t, { priorities: true, ...ageing });
        const low = mark(pool, 'low', { priority: 'low' });
        const end = performance.now() + 5_000;
        const urgent = numbers(1, 10).map((value) => mark(pool, value, { priority: 'urgent' }));
        t.scratch.release('held');
        await t.fulfils(held);
        while (!t.scratch.lines('order').includes('low') && performance.now() < end) {
          await t.fulfils(urgent.shift());
          urgent.push(mark(pool, 'urgent', { priority: 'urgent' }));
          await t.sleep(2);
        }
        t.ensure(t.scratch.lines('order').includes('low'), 'it did not within 5 s');
        await t.fulfils(low);
        t.ensure(t.scratch.lines('order')[0] !== 'low', 'it went first');
      },
    },
    {
      id: 'queue-fair-keys',
      rule: 'Runs of one owner do not wait until all that another submitted before are done.',
      source: '3.18',
      async run(t) {
        const { pool, held } = await busyPool(t);
        const many = numbers(1, 20).map((value) => mark(pool, value, { key: 'many' }));
        const few = mark(pool, 'few', { key: 'few' });
        t.scratch.release('held');
        for (const run of [held, ...many, few]) await t.fulfils(run);
        const place = t.scratch.lines('order').indexOf('few');
        t.ensure(place >= 0 && place <= 3, `it was the ${place + 1}th of 21`);
      },
    },
    {
      id: 'queue-cancel',
      rule: 'A cancelled run that waits never starts, and gives its place in the queue back.',
      source: '5.26',
      async run(t) {
        const { pool, held } = await busyPool(t, { maxQueue: 1 });
        const control = new AbortController();
        const cancelled = mark(pool, 'cancelled', { signal: control.signal });
        control.abort();
        await t.rejects(cancelled);
        const next = mark(pool, 'next');
        t.scratch.release('held');
        await t.fulfils(held);
        await t.fulfils(next, 'the run that took its place');
        t.ensure(t.scratch.lines('order').join() === 'next', `then ran ${t.scratch.lines('order')}`);
      },
    },
    {
      id: 'queue-cancel-order',
      rule: 'Runs cancelled at the head, in the middle and at the end of the queue leave the others and their order alone.',
      source: '5.27, 5.29',
      async run(t) {
        const { pool, held } = await busyPool(t);
        const control = new AbortController();
        const gone = new Set([1, 5, 6, 9]);
        const runs = numbers(1, 9).map((value) =>
          gone.has(value) ? mark(pool, value, { signal: control.signal }) : mark(pool, value),
        );
        control.abort();
        for (const value of gone) await t.rejects(runs[value - 1]);
        t.scratch.release('held');
        await t.fulfils(held);
        for (const value of numbers(1, 9)) if (!gone.has(value)) await t.fulfils(runs[value - 1]);
        t.ensure(t.scratch.lines('order').join() === '2,3,4,7,8', `they ran as ${t.scratch.lines('order')}`);
      },
    },
    {
      id: 'queue-cancel-spares-running',
      rule: 'Cancelling all that wait leaves the running task alone.',
      source: '5.28',
      async run(t) {
        const { pool, held } = await busyPool(t);
        const control = new AbortController();
        const waiting = numbers(1, 5).map((value) => mark(pool, value, { signal: control.signal }));
        control.abort();
        for (const run of waiting) await t.rejects(run);
        t.scratch.release('held');
        await t.fulfils(held, 'the running task');
        t.ensure(t.scratch.lines('order').length === 0, `${t.scratch.lines('order')} ran`);
      },
    },
    {
      id: 'queue-length',
      rule: 'The length of the queue is right after each submission and cancellation, and never below zero.',
      source: '5.30',
      async run(t) {
        const { pool, held } = await busyPool(t);
        const lengths = [pool.queued()];
        const control = new AbortController();
        const runs = [mark(pool, 1), mark(pool, 2, { signal: control.signal }), mark(pool, 3)];
        lengths.push(pool.queued());
        control.abort();
        await t.rejects(runs[1]);
        lengths.push(pool.queued());
        t.scratch.release('held');
        for (const run of [held, runs[0], runs[2]]) await t.fulfils(run);
        lengths.push(pool.queued());
        t.ensure(lengths.join() === '0,3,2,0', `it was ${lengths.join()}`);
      },
    },
    {
      id: 'queue-affinity',
      rule: 'Runs of the same affinity go to the same worker, also while it is busy.',
      source: '5.31',
      async run({ open, fulfils, ensure }) {
        const pool = await open({ max: 3, affinity: true });
        const runs = numbers(1, 12).map((i) => pool.run('wait', { ms: 20 }, { affinity: `user ${i % 2}` }));
        const workers = [];
        for (const run of runs) workers.push(await fulfils(run));
        const [odd, even] = [1, 0].map((rest) => new Set(workers.filter((_, i) => (i + 1) % 2 === rest)));
        ensure(
          !odd.has(undefined) && odd.size === 1 && even.size === 1,
          `they were on ${odd.size} and ${even.size}`,
        );
      },
    },
  ],
};
