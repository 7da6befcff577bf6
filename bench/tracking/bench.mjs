// `node bench/tracking/bench.mjs` after a build: what a durable submission costs over SQLite itself, what sharing a
// commit gains, and how long a page takes in a store of a million runs. `--json` prints the figures, `--runs=100000`
// makes a smaller store. Every insert is one transaction that is on disk when it returns.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteRunStore } from '@pawl/sqlite';
import { createRunTracker } from '@pawl/tasks';
import { machine } from '../measure.mjs';
import { fillStore, loadDriver, rawTable } from './raw-store.mjs';

const ROUNDS = 5;
const SUBMITS = 1_000;
const STORED = Number(process.argv.find((each) => each.startsWith('--runs='))?.slice(7) ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
const driver = await loadDriver();
let files = 0;
const newFile = () => join(folder, `${(files += 1)}.db`);
/** Never due, so that nothing but the submission is measured. */
const spec = () => ({ task: 'resize', input: { path: 'x'.repeat(150) }, delayMs: 86_400_000 });

const host = { id: 'bench', name: 'bench', pid: 1, startTime: '', bootId: '', since: Date.now() };
const peers = {
  'SQLite, one table without an index': async () => rawTable(driver, newFile()),
  'the run store alone, one by one': async () => {
    const store = createSqliteRunStore({ file: newFile() });
    await store.open({ host, maxPerKey: 1 });
    let number = 0;
    const draft = {
      ...spec(),
      priority: 2,
      fingerprint: 'f'.repeat(64),
      createdAt: 0,
      availableAt: 1,
      timeoutMs: 1,
      maxAttempts: 1,
      maxLosses: 3,
    };
    return {
      insert: () => store.add({ ...draft, id: `run_20260308_230509_resize_${(number += 1)}` }),
      end: () => store.close(),
    };
  },
  'tracker.start, one by one': () => startTracker(),
  'tracker.start, 64 at a time': async () => ({ ...(await startTracker()), atATime: 64 }),
};

async function startTracker() {
  const tracker = createRunTracker({ store: createSqliteRunStore({ file: newFile() }), execute: () => null });
  await tracker.start();
  return { insert: () => tracker.start(spec()), end: () => tracker.stop() };
}

/** Inserts per second. */
async function rateOf({ insert, atATime = 1 }, count) {
  let begun = 0;
  const lane = async () => {
    while (begun < count) {
      begun += 1;
      await insert();
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: atATime }, lane));
  return (count / (performance.now() - from)) * 1_000;
}

async function measureSubmits() {
  const rates = Object.fromEntries(Object.keys(peers).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, make] of Object.entries(peers)) {
      const peer = await make();
      const count = SUBMITS * (peer.atATime === undefined ? 1 : 10);
      await rateOf(peer, count / 10);
      rates[name].push(await rateOf(peer, count));
      await peer.end();
    }
  }
  const [first] = Object.values(rates);
  return Object.entries(rates).map(([name, taken]) => ({
    name,
    rate: median(taken),
    min: Math.min(...taken),
    max: Math.max(...taken),
    ratio: median(taken.map((rate, round) => rate / first[round])),
  }));
}

/** Pages and claims of a store that is full of runs, in milliseconds. */
async function measureLargeStore() {
  const file = newFile();
  const empty = createSqliteRunStore({ file });
  await empty.open({ host, maxPerKey: 1 });
  await empty.close();
  fillStore(driver, file, STORED);
  const store = createSqliteRunStore({ file });
  await store.open({ host, maxPerKey: 1 });
  const middle = (await store.list({ createdBefore: STORED / 2, limit: 1 })).nextCursor;
  const queries = {
    'list, no filter': () => store.list({}),
    'list, from the middle': () => store.list({ cursor: middle }),
    'list, a state': () => store.list({ state: 'succeeded' }),
    'list, a rare state': () => store.list({ state: 'lost' }),
    'list, a task': () => store.list({ task: 'task-1' }),
    'list, a task and a state': () => store.list({ task: 'task-1', state: 'failed' }),
    'list, three states and a time': () =>
      store.list({
        state: ['failed', 'timed-out', 'lost'],
        createdFrom: STORED / 4,
        createdBefore: STORED / 2,
      }),
    'list, a key': () => store.list({ key: 'key-41' }),
    'list, a key, a task and a state': () => store.list({ key: 'key-41', task: 'task-1', state: 'failed' }),
    'list, a schedule': () => store.list({ schedule: 'schedule-41' }),
    'list, a schedule and a state': () => store.list({ schedule: 'schedule-41', state: 'failed' }),
    'list, 1000 runs': () => store.list({ limit: 1_000 }),
    get: () => store.get(`run_${STORED / 2}`),
    counts: () => store.counts(),
    'claim of 10 runs': () => store.claim({ now: STORED, limit: 10 }),
  };
  const rows = [];
  for (const [name, query] of Object.entries(queries)) {
    const times = [];
    for (let round = 0; round < 200; round += 1) {
      const from = performance.now();
      await query();
      times.push(performance.now() - from);
    }
    times.sort((a, b) => a - b);
    rows.push({ name, p50: times[100], p95: times[190], max: times.at(-1) });
  }
  await store.close();
  return rows;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const whole = (value) => Math.round(value).toLocaleString('en');
const ms = (value) => value.toFixed(2);

try {
  const submits = await measureSubmits();
  const [, , oneByOne, atOnce] = submits;
  console.error('measured: submissions');
  const large = await measureLargeStore();
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ machine: machine(), submits, stored: STORED, large }, null, 2));
  } else {
    console.log(`${machine()}; medians of ${ROUNDS} interleaved rounds.\n`);
    const lines = submits.map(({ name, rate, min, max, ratio }) => [
      name,
      whole(rate),
      `${whole(min)}–${whole(max)}`,
      ratio.toFixed(2),
    ]);
    console.log(`${table(['durable inserts', '/s', 'min–max', '÷ SQLite'], lines)}\n`);
    console.log(`64 at a time ÷ one by one: ${(atOnce.rate / oneByOne.rate).toFixed(1)}\n`);
    const pages = large.map(({ name, p50, p95, max }) => [name, ms(p50), ms(p95), ms(max)]);
    console.log(table([`${whole(STORED)} stored runs`, 'p50 ms', 'p95 ms', 'max ms'], pages));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
