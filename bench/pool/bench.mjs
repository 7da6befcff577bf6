// `npm run bench:pool`: runs in a pool of two workers, side by side with other pools, in about ten minutes. `--only 64`
// measures what has that in its title, `--rounds 5` takes more rounds, `--json` prints the figures instead of the tables.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createPool } from '@pawl/runtime';
import { machine, measure, median, toMarkdown } from '../measure.mjs';
import { records, text, tiny } from '../payloads.mjs';
import { peers, WORKERS } from './peers.mjs';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
  },
});

const wanted = (title) => title.includes(values.only);
const cases = [
  { title: 'tiny, 1 in flight', inFlight: 1, input: tiny },
  { title: 'tiny, 8 in flight', inFlight: 8, input: tiny },
  { title: 'tiny, 64 in flight', inFlight: 64, input: tiny },
  { title: 'tiny, 1,024 in flight', inFlight: 1_024, input: tiny },
  { title: '10 KB of records, 16 in flight', inFlight: 16, input: records(10_000), warmMs: 2_000 },
  { title: '1 MB of records, 4 in flight', inFlight: 4, input: records(1_000_000), warmMs: 2_000 },
  { title: '1 MB of text, 4 in flight', inFlight: 4, input: text(1_000_000), warmMs: 2_000 },
  { title: '1 ms of work, 16 in flight', inFlight: 16, input: { spinMs: 1 }, warmMs: 4_000, roundMs: 2_000 },
].filter(({ title }) => wanted(title));

/** Thirteen peers and eight cases: in milliseconds, so that all of it takes about ten minutes. */
const TIMES = { warmMs: 1_200, roundMs: 400 };

/** What a run costs when so many of them were submitted at once. */
async function growth() {
  const rows = [];
  for (const queued of [10, 1_000, 100_000, 1_000_000]) {
    const pool = createPool({
      worker: new URL('./children/tasks.mjs', import.meta.url),
      minWorkers: WORKERS,
      maxWorkers: WORKERS,
      maxQueue: Infinity,
    });
    await pool.start();
    const rounds = Math.max(1, Math.floor(20_000 / queued));
    for (let warm = 0; warm < 20_000; warm += 1_000) {
      await Promise.all(Array.from({ length: 1_000 }, () => pool.run('echo', tiny)));
    }
    const from = performance.now();
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all(Array.from({ length: queued }, () => pool.run('echo', tiny)));
    }
    await pool.stop();
    rows.push({ queued, microseconds: ((performance.now() - from) * 1_000) / (queued * rounds) });
  }
  return rows;
}

/** From nothing to the first result of one worker, in milliseconds, in turn with a bare child of `fork`. */
async function coldStart() {
  const times = { pool: [], fork: [] };
  for (let i = 0; i < 9; i += 1) {
    const from = performance.now();
    const pool = createPool({ worker: new URL('./children/tasks.mjs', import.meta.url), maxWorkers: 1 });
    await pool.run('echo', tiny);
    times.pool.push(performance.now() - from);
    await pool.stop();
    const forkedAt = performance.now();
    const child = fork(fileURLToPath(new URL('./children/fork.mjs', import.meta.url)));
    child.send({ id: 1, input: tiny });
    await once(child, 'message');
    times.fork.push(performance.now() - forkedAt);
    child.kill();
    await once(child, 'exit');
  }
  return { pool: median(times.pool), fork: median(times.fork) };
}

/** What a process has in memory that no other shares, in MB; NaN where the system does not tell. */
function uniqueMegabytes(pid) {
  try {
    const lines = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_\w+:\s+(\d+) kB/gm);
    return [...lines].reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0) / 1_024;
  } catch {
    return Number.NaN;
  }
}

/** The memory of a worker that has answered once, and that of a bare child of `fork`. */
async function idleMemory() {
  const pool = createPool({ worker: new URL('./children/tasks.mjs', import.meta.url), maxWorkers: 1 });
  await pool.run('echo', tiny);
  const child = fork(fileURLToPath(new URL('./children/fork.mjs', import.meta.url)));
  child.send({ id: 1, input: tiny });
  await once(child, 'message');
  await sleep(1_000);
  const memory = { pool: uniqueMegabytes(pool.workers()[0].pid), fork: uniqueMegabytes(child.pid) };
  child.kill();
  await pool.stop();
  return memory;
}

const version = (name) =>
  JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url))).version;
const versions = ['poolifier', 'piscina', 'jest-worker', 'workerpool', 'tinypool']
  .map((name) => `${name} ${version(name)}`)
  .join(', ');

const startedAt = performance.now();
const results = await measure(
  new URL('./peers.mjs', import.meta.url),
  Object.keys(peers),
  cases,
  Number(values.rounds),
  TIMES,
);
const more = {
  coldStartMs: wanted('cold start') ? await coldStart() : undefined,
  idleMegabytes: wanted('idle memory') ? await idleMemory() : undefined,
  growth: wanted('growth') ? await growth() : undefined,
};
const seconds = Math.round((performance.now() - startedAt) / 1_000);

const table = (...lines) => lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const beside = (unit, { pool, fork: forked }, digits) =>
  table(
    ['', unit, '@pawl/runtime ÷ it'],
    ['---', '---', '---'],
    ['@pawl/runtime', pool.toFixed(digits), '1.00'],
    ['fork', forked.toFixed(digits), (pool / forked).toFixed(2)],
  );

if (values.json) {
  console.log(JSON.stringify({ machine: machine(), versions, seconds, results, ...more }, null, 2));
} else {
  const { coldStartMs, idleMegabytes, growth: rows } = more;
  const sections = [
    `${machine()}; ${WORKERS} workers; ${versions}; medians of ${values.rounds} interleaved rounds, ${seconds} s in all.`,
    ...results.map((result) => toMarkdown([result])),
  ];
  if (coldStartMs !== undefined) {
    sections.push(`**cold start: the first result of one worker**\n\n${beside('ms', coldStartMs, 0)}`);
  }
  if (idleMegabytes !== undefined) {
    const head = '**idle memory: what one worker shares with no other process**';
    sections.push(`${head}\n\n${beside('MB', idleMegabytes, 1)}`);
  }
  if (rows !== undefined) {
    const lines = rows.map(({ queued, microseconds }) => [
      queued.toLocaleString('en'),
      microseconds.toFixed(2),
    ]);
    sections.push(
      `**growth: tiny runs, all submitted at once**\n\n${table(['submitted', 'µs a run'], ['---', '---'], ...lines)}`,
    );
  }
  console.log(sections.join('\n\n'));
}
process.exit();
