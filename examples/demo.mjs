// Six runs through one executor: two that work, a crash, a timeout with a grandchild, a cached one and a retried one.
// Prints what happened to each, and at the end that no process is left.
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

await show('a Node task', 'countWords', { text: poem });

const python = await findPython().catch((error) => error);
if (python instanceof Error) console.log(`a Python task     skipped: ${python.message}`);
else {
  let reports = 0;
  const onProgress = () => {
    reports += 1;
  };
  await show('a Python task', 'describe', [3, 1, 4, 1, 5, 9, 2, 6], { onProgress });
  console.log(`                  sent ${reports} progress reports on the way`);
}

await show('a crash', 'crash');

await show('a timeout', 'hang', undefined, { onLog: ({ fields }) => pids.add(fields.pid) });

const lines = { text: 'the same input twice' };
await show('computed', 'countWords', lines, { deterministic: true });
await show('cached', 'countWords', lines, { deterministic: true });

await show('retried', 'unreliable');

await Promise.all([text.stop(), numbers.stop()]);
const left = [...pids].filter(isAlive);
console.log(`\n${pids.size} processes were started, ${left.length} are left.`);
process.exitCode = left.length === 0 ? 0 : 1;

/** Executes one task and prints its outcome. */
async function show(title, task, input, options) {
  const { status, value, error, attempts, durationMs, cached } = await executor.execute(task, input, options);
  const how = cached
    ? 'from the cache'
    : `${attempts} attempt${attempts === 1 ? '' : 's'}, ${Math.round(durationMs)} ms`;
  console.log(
    `${title.padEnd(17)} ${status} (${how}): ${error === undefined ? JSON.stringify(value) : error.message}`,
  );
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
