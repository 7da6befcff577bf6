// One small adapter for each pool, with two workers, set up as its own documentation says is fastest. The last two are no
// pools: what they do without a queue, timeouts, cancelling and statistics is the measure of what those cost.
import { fork, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createConnection, stdioTransport } from '@pawl/ipc';
import { createPool } from '@pawl/runtime';
import { Worker as JestWorker } from 'jest-worker';
import { Piscina } from 'piscina';
import { FixedClusterPool, FixedThreadPool } from 'poolifier';
import { Tinypool } from 'tinypool';
import workerpool from 'workerpool';
import { balanced } from '../balanced.mjs';

export const WORKERS = 2;

const child = (name) => new URL(`./children/${name}.mjs`, import.meta.url);
const path = (name) => fileURLToPath(child(name));
const commonPath = (name) => fileURLToPath(new URL(`./children/${name}.cjs`, import.meta.url));

async function pawl() {
  const pool = createPool({
    worker: child('tasks'),
    minWorkers: WORKERS,
    maxWorkers: WORKERS,
    maxQueue: Infinity,
  });
  await pool.start();
  return { call: (input) => pool.run('echo', input), end: () => pool.stop() };
}

function piscina(options) {
  const pool = new Piscina({
    filename: child('tasks').href,
    minThreads: WORKERS,
    maxThreads: WORKERS,
    ...options,
  });
  return { call: (input) => pool.run(input), end: () => pool.destroy() };
}

function tinypool(runtime) {
  const pool = new Tinypool({
    filename: child('tasks').href,
    runtime,
    minThreads: WORKERS,
    maxThreads: WORKERS,
  });
  return { call: (input) => pool.run(input), end: () => pool.destroy() };
}

function workerPool(workerType) {
  const pool = workerpool.pool(path('workerpool'), {
    workerType,
    minWorkers: WORKERS,
    maxWorkers: WORKERS,
  });
  return { call: (input) => pool.exec('echo', [input]), end: () => pool.terminate() };
}

function poolifier(Pool, file) {
  const pool = new Pool(WORKERS, file);
  // The destroy of a second pool of threads in one process does not always end.
  return { call: (input) => pool.execute(input), end: () => Promise.race([pool.destroy(), sleep(2_000)]) };
}

function jestWorker(enableWorkerThreads) {
  const pool = new JestWorker(path('tasks'), {
    numWorkers: WORKERS,
    exposedMethods: ['echo'],
    enableWorkerThreads,
  });
  return { call: (input) => pool.echo(input), end: () => pool.end() };
}

function connection() {
  const worker = spawn(process.execPath, [path('connection')], {
    stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
  });
  const link = createConnection(stdioTransport({ readable: worker.stdio[3], writable: worker.stdin }));
  return { call: (input) => link.request('run', { input }), end: () => ended(worker) };
}

function forked() {
  const worker = fork(path('fork'));
  const open = new Map();
  let lastId = 0;
  worker.on('message', ({ id, result }) => {
    open.get(id)(result);
    open.delete(id);
  });
  const call = (input) =>
    new Promise((resolve) => {
      lastId += 1;
      open.set(lastId, resolve);
      worker.send({ id: lastId, input });
    });
  return { call, end: () => ended(worker) };
}

function ended(worker) {
  worker.kill();
  return new Promise((resolve) => worker.once('exit', resolve));
}

export const peers = {
  '@pawl/runtime': pawl,
  'poolifier, processes': () => poolifier(FixedClusterPool, commonPath('poolifier-cluster')),
  'poolifier, threads': () => poolifier(FixedThreadPool, path('poolifier-thread')),
  'piscina, 64 tasks a thread': () => piscina({ concurrentTasksPerWorker: 64 }),
  piscina: () => piscina({}),
  'jest-worker, processes': () => jestWorker(false),
  'jest-worker, threads': () => jestWorker(true),
  'workerpool, processes': () => workerPool('process'),
  'workerpool, threads': () => workerPool('thread'),
  'tinypool, processes': () => tinypool('child_process'),
  'tinypool, threads': () => tinypool('worker_threads'),
  '@pawl/ipc alone': () => balanced([connection(), connection()]),
  'fork, json, alone': () => balanced([forked(), forked()]),
};
