// The spawn helper: a small process that starts others on behalf of a host with much memory, whose own forks would
// stand still while the tables of that memory are copied. It lives and dies with the host, and so does what it started.
// Only Node's own modules here: this process is to be small and quick to start.
/* oxlint-disable eslint/no-restricted-properties, eslint/no-restricted-globals -- it owns its process, and loads no clock */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { pipeLabel, type SpawnNews, type SpawnRequest, type SpawnWithdrawal } from './messages.ts';

/** How long what it started may clean up once the host is gone. */
const HOST_GONE_GRACE_MS = 1_000;

const socketPath = process.argv[2] ?? '';
const children = new Map<number, ChildProcess>();
/** What is to be started and was not yet. */
const wanted = new Set<number>();
let hostGone = false;

function tell(news: SpawnNews): void {
  // The host may be gone: then nobody is left to tell.
  if (process.connected) process.send?.(news, undefined, undefined, () => undefined);
}

/** One end of a pipe of the child, connected to the host. */
async function openPipe(id: number, fd: number): Promise<Socket> {
  const socket = connect(socketPath);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    // The label goes ahead of all that the child writes.
    socket.write(pipeLabel(id, fd), () => resolve());
  });
  // A child expects descriptors that block; Node sees to the first three itself.
  if (fd > 2) setBlocking(socket);
  return socket;
}

/** There is no public way. @throws TypeError where Node has none at all, so that the host starts the child itself */
function setBlocking(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { _handle: { setBlocking(on: boolean): number } };
  if (handle.setBlocking(true) !== 0) throw new TypeError('The pipe can not be made to block.');
}

async function start(request: SpawnRequest): Promise<void> {
  const { id, command, args, cwd, env } = request;
  wanted.add(id);
  const opening = request.stdio.map(async (kind, fd) => (kind === 'pipe' ? openPipe(id, fd) : kind));
  const opened = await Promise.allSettled(opening);
  const stdio = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const pipes = stdio.filter((each) => typeof each !== 'string');
  try {
    await Promise.all(opening);
    if (!wanted.has(id)) throw new Error('The start was withdrawn.');
    const child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env,
      stdio,
      detached: true,
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      tell({ kind: 'failed', id, byHelper: false, code: error.code, message: error.message });
    });
    if (child.pid === undefined) return;
    children.set(id, child);
    child.once('exit', (exitCode, signal) => {
      children.delete(id);
      tell({ kind: 'exited', id, exitCode, signal });
      if (hostGone && children.size === 0) leave();
    });
    tell({ kind: 'started', id, pid: child.pid });
  } catch (error) {
    // Some refusals Node throws, such as that of a command line that is too long.
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    tell({ kind: 'failed', id, byHelper: syscall?.startsWith('spawn') !== true, code, message });
  } finally {
    wanted.delete(id);
    // The child has its own copies.
    for (const pipe of pipes) pipe.destroy();
  }
}

function signalAll(signal: NodeJS.Signals): void {
  for (const { pid } of children.values()) {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // It is gone.
    }
  }
}

function leave(): void {
  signalAll('SIGKILL');
  rmSync(dirname(socketPath), { recursive: true, force: true });
  process.exit();
}

process.on('message', (message: SpawnRequest | SpawnWithdrawal) => {
  if ('withdrawn' in message) wanted.delete(message.withdrawn);
  else void start(message);
});
process.once('disconnect', () => {
  hostGone = true;
  signalAll('SIGTERM');
  if (children.size === 0) leave();
  setTimeout(leave, HOST_GONE_GRACE_MS);
});
