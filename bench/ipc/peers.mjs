// One small adapter for each way to talk to a child process.
import { fork, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createConnection, stdioTransport } from '@pawl/ipc';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { lines } from './lines.mjs';

/** What bounds tiny calls. A large text takes its own ways. */
export const BOUND = 'the lines alone, no JSON';

const child = (name) => fileURLToPath(new URL(`./children/${name}.mjs`, import.meta.url));
const start = (name, stdio) => spawn(process.execPath, [child(name)], { stdio });

function pawl() {
  const worker = start('pawl', ['pipe', 'inherit', 'inherit', 'pipe']);
  const connection = createConnection(stdioTransport({ readable: worker.stdio[3], writable: worker.stdin }));
  return { pid: worker.pid, call: (input) => connection.request('echo', input), end: () => worker.kill() };
}

function forked(serialization) {
  const worker = fork(child('fork'), [], { serialization });
  const open = new Map();
  let lastId = 0;
  worker.on('message', ({ id, result }) => {
    open.get(id)(result);
    open.delete(id);
  });
  const call = (params) =>
    new Promise((resolve) => {
      lastId += 1;
      open.set(lastId, resolve);
      worker.send({ id: lastId, params });
    });
  return { pid: worker.pid, call, end: () => worker.kill() };
}

function ndjson() {
  const worker = start('ndjson', ['pipe', 'pipe', 'inherit']);
  const open = new Map();
  let lastId = 0;
  createInterface({ input: worker.stdout }).on('line', (line) => {
    const { id, result } = JSON.parse(line);
    open.get(id)(result);
    open.delete(id);
  });
  const call = (params) =>
    new Promise((resolve) => {
      lastId += 1;
      open.set(lastId, resolve);
      worker.stdin.write(`${JSON.stringify({ id: lastId, params })}\n`);
    });
  return { pid: worker.pid, call, end: () => worker.kill() };
}

function vscodeJsonrpc() {
  const worker = start('vscode-jsonrpc', ['pipe', 'pipe', 'inherit']);
  const connection = createMessageConnection(
    new StreamMessageReader(worker.stdout),
    new StreamMessageWriter(worker.stdin),
  );
  connection.listen();
  return {
    pid: worker.pid,
    call: (input) => connection.sendRequest('echo', input),
    end: () => worker.kill(),
  };
}

export const peers = {
  '@pawl/ipc': pawl,
  'fork, json': () => forked('json'),
  'fork, advanced': () => forked('advanced'),
  'naive NDJSON': ndjson,
  'vscode-jsonrpc': vscodeJsonrpc,
  [BOUND]: lines,
};
