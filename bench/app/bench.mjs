// `npm run bench:app`: the service as its clients meet it, side by side with a bare fastify that does the same without
// Pawl. Rounds interleaved, medians. `--json` prints the figures instead of the tables.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { machine, median } from '../measure.mjs';
import { overEventStream, overPipe, quantile } from './delivery.mjs';

const ROUNDS = 3;
/** Of each case in each round. */
const SECONDS = 3;
const PAWL = fileURLToPath(new URL('../../apps/pawl/bin/pawl.js', import.meta.url));
const BARE = fileURLToPath(new URL('bare-server.mjs', import.meta.url));
const HELLO = { code: "print('Hello World')" };
/** It only waits: what is measured is that it is stored for good, not that it runs. */
const LATER = { command: { file: 'true' }, delayMs: 3_600_000 };

const post = (path, body) => ({
  path,
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const cases = [
  { title: 'GET /health', request: { path: '/health' }, connections: 10 },
  {
    title: 'POST /execute, a Hello World, 1 at a time',
    request: post('/execute', HELLO),
    connections: 1,
  },
  {
    title: 'POST /execute, a Hello World, 4 at a time',
    request: post('/execute', HELLO),
    connections: 4,
  },
  { title: 'POST /v1/runs, 1 at a time', request: post('/v1/runs', LATER), connections: 1 },
  { title: 'POST /v1/runs, 50 at a time', request: post('/v1/runs', LATER), connections: 50 },
];

/** Starts a server and waits for the address it prints. */
async function start(name, args, env = {}) {
  const from = performance.now();
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) {
    output += chunk;
    const url = /listens on (http:\S+)/.exec(output)?.[1];
    if (url !== undefined) return { name, url, child, startMs: performance.now() - from };
  }
  throw new Error(`${name} did not start.`);
}

/** Resident memory of a process, in MB; NaN where there is no /proc. */
function memoryMb({ pid }) {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024;
  } catch {
    return Number.NaN;
  }
}

async function drive(url, { request: { path, ...request }, connections }, seconds) {
  const result = await autocannon({ url: url + path, ...request, connections, duration: seconds });
  if (result.errors > 0 || result.non2xx > 0) {
    throw new Error(`${url}${path}: ${result.errors} errors, ${result.non2xx} answers that are no success`);
  }
  const { p50, p97_5: p97, p99 } = result.latency;
  return { rate: result.requests.total / result.duration, p50, p97, p99 };
}

const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
const service = await start('Pawl', [PAWL, 'serve'], {
  PAWL_PORT: '0',
  PAWL_DATA_DIR: folder,
  PAWL_RATE_LIMIT_PER_MINUTE: 'off',
  PAWL_MAX_CONCURRENT_RUNS: '4',
  PAWL_LOG_LEVEL: 'error',
});
const bare = await start('bare fastify', [BARE]);
const results = [];
try {
  const { kind } = await (await fetch(`${service.url}/system/sandbox`)).json();
  await new Promise((resolve) => void setTimeout(resolve, 1_000));
  const idleMb = memoryMb(service.child);
  for (const each of cases) {
    const samples = new Map([service, bare].map((server) => [server, []]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [server, taken] of samples) {
        if (round === 0) await drive(server.url, each, 1);
        taken.push(await drive(server.url, each, SECONDS));
      }
    }
    for (const [{ name }, taken] of samples) {
      const figure = (key) => median(taken.map((sample) => sample[key]));
      results.push({
        title: each.title,
        name,
        rate: figure('rate'),
        p50: figure('p50'),
        p97: figure('p97'),
        p99: figure('p99'),
      });
    }
    console.error(`measured: ${each.title}`);
  }
  const deliveries = [];
  const readers = {
    'the pipe of a child': () => overPipe(),
    'an event stream': () => overEventStream(service.url, 1),
    '50 event streams at once': () => overEventStream(service.url, 50),
  };
  for (const [name, read] of Object.entries(readers)) {
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await read());
    const figure = (share) => median(rounds.map((ages) => quantile(ages, share)));
    deliveries.push({
      name,
      p50: figure(0.5),
      p95: figure(0.95),
      p99: figure(0.99),
      lines: rounds[0].length,
    });
    console.error(`measured: ${name}`);
  }
  report({ kind, idleMb, startMs: service.startMs, loadedMb: memoryMb(service.child), results, deliveries });
} finally {
  for (const { child } of [service, bare]) {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
}

function report(figures) {
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify({ machine: machine(), ...figures }, null, 2));
    return;
  }
  const { kind, startMs, idleMb, loadedMb } = figures;
  console.log(`${machine()}; sandbox ${kind}; medians of ${ROUNDS} interleaved rounds, milliseconds.`);
  console.log(
    `Start to listening ${startMs.toFixed(0)} ms, idle ${idleMb.toFixed(0)} MB, after the load ${loadedMb.toFixed(0)} MB.`,
  );
  for (const { title } of cases) {
    const rows = figures.results.filter((row) => row.title === title);
    console.log(`\n**${title}**\n\n|  | requests/s | p50 | p97.5 | p99 |\n| --- | --- | --- | --- | --- |`);
    for (const { name, rate, ...latency } of rows) {
      const cells = [rate, latency.p50, latency.p97, latency.p99].map((value) =>
        Math.round(value).toLocaleString('en'),
      );
      console.log(`| ${name} | ${cells.join(' | ')} |`);
    }
  }
  console.log(
    '\n**From a line printed to a line read**\n\n|  | lines | p50 | p95 | p99 |\n| --- | --- | --- | --- | --- |',
  );
  for (const { name, lines, ...ages } of figures.deliveries) {
    const cells = [ages.p50, ages.p95, ages.p99].map((value) => value.toFixed(1));
    console.log(`| ${name} | ${lines} | ${cells.join(' | ')} |`);
  }
}
