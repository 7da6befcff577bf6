// Runs through one executor: a Node and a Python task, a crash, a timeout with a grandchild, a cached result and a
// retry. Prints what happened to each, and at the end that no process is left.
import { existsSync, readFileSync } from 'node:fs';
import { createTaskCache } from '@pawl/caching';
import { exponentialBackoff, retry } from '@pawl/resilience';
import { createExecutor, createPool, findPython } from '@pawl/runtime';

const text = createPool({
  worker: new URL('./tasks/text.mjs', import.meta.url),
  maxWorkers: 2,
  runTimeoutMs: 1_000,
  cancelGraceMs: 100,
  killGraceMs: 100,
});
const numbers = createPool({
  worker: new URL('./tasks/describe_numbers.py', import.meta.url),
  minWorkers: 0,
});
const executor = createExecutor({
  pools: { describe: numbers, '*': text },
  retry: retry({
    maxAttempts: 3,
    backoff: exponentialBackoff({ initialMs: 50 }),
    shouldRetry: (error) => error.fields?.retryable === true,
  }),
  cache: createTaskCache(),
});
const pids = new Set();
for (const pool of [text, numbers]) pool.on('worker:ready', ({ pid }) => pids.add(pid));

const poem = readFileSync(new URL('./poem.txt', import.meta.url), 'utf8');
const words = ({ value }) => `${value.words} words, counted by process ${value.pid}`;

await show('a Node task', 'countWords', { text: poem }, words);

const python = await findPython().catch((error) => error);
if (python instanceof Error) print('a Python task', 'skipped', python.message);
else {
  let reports = 0;
  const onProgress = () => {
    reports += 1;
  };
  const tell = ({ value }) =>
    `mean ${value.mean}, deviation ${value.deviation}; ${reports} progress reports on the way`;
  await show('a Python task', 'describe', [3, 1, 4, 1, 5, 9, 2, 6], tell, { onProgress });
}

await show('a crash', 'crash', undefined, ({ error }) => {
  const { exitCode, stderrTail } = error;
  return `its worker exited with code ${exitCode} and said "${stderrTail.trim()}"`;
});

let grandchild;
const onLog = ({ fields }) => {
  grandchild = fields.pid;
  pids.add(grandchild);
};
await show('a timeout', 'hang', undefined, () => `and so did its grandchild, process ${grandchild}`, {
  onLog,
});

const twice = { text: 'the same input twice' };
await show('computed', 'countWords', twice, words, { deterministic: true });
await show('cached', 'countWords', twice, words, { deterministic: true });

await show('retried', 'unreliable', undefined, ({ value }) => value);

await Promise.all([text.stop(), numbers.stop()]);
const left = [...pids].filter(isAlive);
console.log(`\n${pids.size} processes were started, ${left.length} are left.`);
process.exitCode = left.length === 0 ? 0 : 1;

/** Executes one task and prints its outcome in one line. */
async function show(title, task, input, tell, options) {
  const outcome = await executor.execute(task, input, options);
  const { status, attempts, durationMs, cached } = outcome;
  const tries = attempts > 1 ? ` (${attempts} attempts)` : '';
  const how = cached ? 'taken from the cache' : `${status} after ${Math.round(durationMs)} ms${tries}`;
  print(title, how, tell(outcome));
}

function print(title, how, what) {
  console.log(`${title.padEnd(15)}${how}: ${what}`);
}

/** A zombie, whose parent has not collected it yet, is dead. */
function isAlive(pid) {
  if (!existsSync('/proc/self/status')) return false;
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
