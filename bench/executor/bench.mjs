// `npm run build && node bench/executor/bench.mjs`: what an executor adds to its pool, and each stage to the executor.
// CPU time of this process per run, medians of interleaved rounds; "above the pool" is taken within a round. `--json`
// prints the figures, `--rounds=3` makes it shorter.
import { createTaskCache } from '@pawl/caching';
import { circuitBreaker, retry } from '@pawl/resilience';
import { createAdmission, createExecutor, createInMemoryExecutor, createPool } from '@pawl/runtime';
import { machine, median } from '../measure.mjs';

const RUNS = 4_000;
/** Runs on their way at a time: the pool sends tiny ones ahead. */
const IN_FLIGHT = 64;

const rounds = Number(
  process.argv.find((arg) => arg.startsWith('--rounds='))?.slice('--rounds='.length) ?? 11,
);

/** Each has a pool of its own, for an executor listens to what its pool tells of every run. */
const pools = [];
function startedPool() {
  const pool = createPool({ worker: new URL('../pool/children/tasks.mjs', import.meta.url), maxWorkers: 1 });
  pools.push(pool);
  return pool;
}
const pool = startedPool();
const executorWith = (options) => createExecutor({ pools: { '*': startedPool() }, ...options });
const admission = createAdmission({ maxCpu: 1, minFreeMemoryBytes: 0 });
const bare = executorWith({});
const bounded = executorWith({ timeoutMs: 60_000 });
const retrying = executorWith({ retry: retry() });
const guarded = executorWith({ breaker: circuitBreaker() });
const admitting = executorWith({ admission });
const caching = executorWith({ cache: createTaskCache() });
const full = executorWith({
  timeoutMs: 60_000,
  retry: retry(),
  breaker: circuitBreaker(),
  admission,
  cache: createTaskCache(),
});
const inMemory = createInMemoryExecutor({ tasks: { echo: (input) => input } });

const { signal } = new AbortController();
let runs = 0;
const contestants = {
  'the pool alone': () => pool.run('echo', 1),
  'executor, no options': () => bare.execute('echo', 1),
  'executor, a runId of the caller': () => bare.execute('echo', 1, { runId: `run-${(runs += 1)}` }),
  "executor, the caller's signal": () => bare.execute('echo', 1, { signal }),
  'executor with a deadline': () => bounded.execute('echo', 1),
  'executor with a retry': () => retrying.execute('echo', 1),
  'executor with a breaker': () => guarded.execute('echo', 1),
  'executor with admission': () => admitting.execute('echo', 1),
  'executor with all stages': () => full.execute('echo', 1),
  'executor, from the cache': () => caching.execute('echo', 1, { deterministic: true }),
  'executor in memory': () => inMemory.execute('echo', 1),
};

/** CPU microseconds per run. */
async function time(run) {
  let started = 0;
  const lane = async () => {
    while (started < RUNS) {
      started += 1;
      await run();
    }
  };
  const from = process.cpuUsage();
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const { user, system } = process.cpuUsage(from);
  return (user + system) / RUNS;
}

const samples = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
await Promise.all(pools.map((each) => each.start()));
for (const run of Object.values(contestants)) await time(run);
for (let round = 0; round < rounds; round += 1) {
  for (const [name, run] of Object.entries(contestants)) samples[name].push(await time(run));
}
await Promise.all(pools.map((each) => each.stop({ graceMs: 0 })));

const [baseline] = Object.values(samples);
const rows = Object.entries(samples).map(([name, each]) => ({
  name,
  us: median(each),
  min: Math.min(...each),
  max: Math.max(...each),
  above: median(each.map((sample, round) => sample - baseline[round])),
}));
if (process.argv.includes('--json'))
  console.log(JSON.stringify({ machine: machine(), rounds, rows }, null, 2));
else {
  const head = ['', 'CPU µs a run', 'min–max', 'above the pool'];
  const lines = rows.map(({ name, us, min, max, above }) => [
    name,
    us.toFixed(2),
    `${min.toFixed(2)}–${max.toFixed(2)}`,
    above.toFixed(2),
  ]);
  const table = [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  console.log(`${machine()}; medians of ${rounds} interleaved rounds.\n\n${table}`);
}
