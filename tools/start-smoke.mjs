// Starts the service as a newcomer does, uses it, and ends it with Ctrl-C: `npm start`, a few requests, exit status 0
// within five seconds, no process left.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment, root } from './public-packages.mjs';

const START_MS = 90_000;
const STOP_MS = 5_000;
const mark = `PAWL_SMOKE=${randomUUID()}`;

const port = await freePort();
const dataDir = mkdtempSync(join(tmpdir(), 'pawl-smoke-'));
const address = `http://127.0.0.1:${port}`;
// A group of its own, because Ctrl-C goes to the whole foreground group: npm, its shell and the service.
const child = spawn('npm', ['start'], {
  cwd: root,
  detached: true,
  env: environment({
    PAWL_PORT: String(port),
    PAWL_DATA_DIR: dataDir,
    PAWL_SMOKE: mark.slice('PAWL_SMOKE='.length),
  }),
  stdio: ['ignore', 'pipe', 'pipe'],
});
const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
let output = '';
for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));

try {
  await printed(address);
  const health = await fetch(`${address}/health`);
  const { status, service, version } = await health.json();
  expect(health.status === 200 && status === 'healthy', `GET /health said ${health.status}, ${status}`);
  console.log(`GET /health: ${status}, ${service} ${version}`);

  const answer = await fetch(`${address}/execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: 'print("Hello World")' }),
  });
  const { executionTime, sandbox, success, output: printedText, errors, testResult } = await answer.json();
  const shown = JSON.stringify({ success, output: printedText, errors, testResult });
  const wanted = JSON.stringify({ success: true, output: 'Hello World', errors: null, testResult: null });
  expect(answer.status === 200 && shown === wanted, `POST /execute said ${answer.status}, ${shown}`);
  expect(typeof executionTime === 'number', `its executionTime is ${executionTime}`);
  console.log(`POST /execute: ${shown}, ${executionTime} ms in the sandbox ${sandbox}`);

  const page = await fetch(`${address}/`);
  const html = await page.text();
  expect(page.status === 200 && html.includes('<title>Pawl'), `GET / said ${page.status}`);
  console.log(`GET /: ${page.url.replace(address, '')}, ${html.length} bytes`);

  const submitted = await fetch(`${address}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=20' },
    body: JSON.stringify({ command: { file: process.execPath, args: ['--version'] } }),
  });
  const { state, result } = await submitted.json();
  expect(state === 'succeeded', `POST /v1/runs said ${submitted.status}, ${state}`);
  console.log(`POST /v1/runs: ${state}, ${JSON.stringify(result)}`);

  const began = performance.now();
  process.kill(-Number(child.pid), 'SIGINT');
  const code = await within(STOP_MS, exited, `It still runs ${STOP_MS} ms after Ctrl-C`);
  expect(code === 0, `after Ctrl-C it ended with ${code}`);
  const left = marked();
  expect(left.length === 0, `it left behind: ${left.join(', ')}`);
  console.log(`Ctrl-C: exit status 0 after ${Math.round(performance.now() - began)} ms, nothing left`);
} catch (error) {
  console.error(`start smoke: ${error.message}. It printed:\n${output}`);
  process.exitCode = 1;
} finally {
  for (const line of marked()) process.kill(Number(line.split(' ')[0]), 'SIGKILL');
  if (process.platform !== 'linux') child.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
}

function expect(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

/** Waits until the service has printed that text. */
function printed(text) {
  const seen = new Promise((resolve, reject) => {
    const look = () => output.includes(text) && resolve();
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`npm start ended with ${code ?? signal}`)));
  });
  return within(START_MS, seen, `It did not print ${text} within ${START_MS} ms`);
}

function within(ms, promise, otherwise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(otherwise)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** What still lives of the processes that were started here (Linux only), as `pid command`. */
function marked() {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || !readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark)) return [];
      if (/\nState:\tZ/.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return [];
      return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()}`];
    } catch {
      return [];
    }
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port: found } = server.address();
      server.close(() => resolve(found));
    });
  });
}
