import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, createDeferred, type Deferred, PawlError, type Timer } from '@pawl/core';
import {
  LABEL_BYTES,
  readPipeLabel,
  type SpawnNews,
  type SpawnRequest,
  type SpawnWithdrawal,
} from '../spawn-helper/messages.ts';
import { childEnvironment } from './environment.ts';
import type { ExitInfo } from './process-handle.ts';
import { MARK_NAME } from './process-mark.ts';
import type { SpawnPlan, StartedChild } from './spawner.ts';
import { signalGroup } from './terminate.ts';

/** Like a worker it runs from the build, also when this file runs from the sources. */
const ENTRY = fileURLToPath(new URL('../../dist/spawn-helper/main.js', import.meta.url));
/** How long it may take to start a process; its own start is part of the first. */
const START_MS = 5_000;
/** A helper that goes on saying nothing for so long hangs for good, and is ended with what it started. */
const HUNG_MS = 30_000;
/** How long it may take to end once it is let go: what it started has a second to clean up. */
const STOP_MS = 3_000;
/** It holds no data to speak of. */
const NODE_ARGS: readonly string[] = [
  '--max-semi-space-size=1',
  '--max-old-space-size=64',
  '--v8-pool-size=1',
];

/** The helper is gone, or can't do its work: start the process in another way. */
class HelperLostError extends PawlError {
  declare readonly code: 'SPAWN_HELPER_LOST';

  constructor(why: string) {
    super(`The spawn helper ${why}.`, { code: 'SPAWN_HELPER_LOST' });
  }
}

/**
 * A small process that starts others for this one. It is told what to start over its IPC channel. It connects the
 * child's pipes to a socket in a private folder of this process and lets the child inherit them, so that no byte of
 * the child passes through the helper.
 */
export interface SpawnHelper {
  /** @throws HelperLostError, or what the operating system said */
  spawn(plan: SpawnPlan): Promise<StartedChild>;
  /** Cleared once it is gone, or has failed at its own part of a start or not answered. What it started may live on. */
  readonly isFit: boolean;
  readonly pid: number | undefined;
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
  /** Ends it and what it started, by force after 3 s. */
  stop(): Promise<void>;
}

/** A process that the helper was asked for. */
interface HelpedChild {
  readonly started: Deferred<void>;
  readonly stdio: (Socket | null)[];
  pid: number;
  exit: ExitInfo | undefined;
  onExit: (exit: ExitInfo) => void;
  /** The pipes that are still to come, and one for the news of the start. */
  missing: number;
  holdsHost: boolean;
}

/** Starts the helper. It does not keep this process running, unless what it starts does. */
export function createSpawnHelper(clock: Clock): SpawnHelper {
  const children = new Map<number, HelpedChild>();
  const ended = createDeferred();
  const folder = mkdtempSync(join(tmpdir(), 'pawl-spawn-'));
  const server = listen(join(folder, 's'), take);
  const helper = startHelper(join(folder, 's'));
  let lastId = 0;
  let held = 0;
  let lost = false;
  let fit = true;
  /** Runs from a start that it did not answer until its next news. */
  let silence: Timer | undefined;

  // Listening is over before the helper's own code begins.
  helper.on('message', (news: SpawnNews) => hear(news));
  helper.once('error', (error) => lose(`could not be started: ${error.message}`));
  helper.once('exit', (code, signal) => lose(`ended (${signal ?? code})`));
  hold(0);

  /** The helper keeps this process running while something it starts does. */
  function hold(change: number): void {
    held += change;
    if (held > 0) helper.channel?.ref();
    else helper.channel?.unref();
  }

  function setHold(child: HelpedChild, holds: boolean): void {
    if (child.holdsHost === holds) return;
    child.holdsHost = holds;
    hold(holds ? 1 : -1);
  }

  function hear(news: SpawnNews): void {
    silence?.cancel();
    silence = undefined;
    const child = children.get(news.id);
    if (child === undefined) {
      // It was withdrawn too late: another was started in its place.
      if (news.kind === 'started') signalGroup(news.pid, 'SIGKILL');
      return;
    }
    switch (news.kind) {
      case 'started':
        child.pid = news.pid;
        oneLess(news.id, child);
        break;
      case 'failed':
        drop(news.id, child);
        fit &&= !news.byHelper;
        child.started.reject(
          news.byHelper
            ? new HelperLostError(`failed: ${news.message}`)
            : Object.assign(new Error(news.message), { code: news.code }),
        );
        break;
      case 'exited':
        childEnded(news.id, child, { exitCode: news.exitCode, signal: news.signal });
        break;
    }
  }

  function oneLess(id: number, child: HelpedChild): void {
    child.missing -= 1;
    if (child.missing > 0) return;
    child.started.resolve();
    if (child.exit !== undefined) children.delete(id);
  }

  function childEnded(id: number, child: HelpedChild, exit: ExitInfo): void {
    // It may end before its pipes have arrived.
    if (child.missing === 0) children.delete(id);
    child.exit = exit;
    setHold(child, false);
    child.onExit(exit);
  }

  function drop(id: number, child: HelpedChild): void {
    children.delete(id);
    setHold(child, false);
    for (const socket of child.stdio) socket?.destroy();
  }

  /** A connection with its label read. */
  function take(socket: Socket, label: string): void {
    const { id, fd } = readPipeLabel(label);
    const child = children.get(id);
    if (child === undefined || child.stdio[fd] !== null) {
      socket.destroy();
      return;
    }
    child.stdio[fd] = socket;
    // Nothing comes out of the child's stdin; read, it tells of the child's end.
    if (fd === 0) socket.resume();
    oneLess(id, child);
  }

  function lose(why: string): void {
    if (lost) return;
    lost = true;
    fit = false;
    silence?.cancel();
    server.close();
    rmSync(folder, { recursive: true, force: true });
    const error = new HelperLostError(why);
    for (const [id, child] of children) {
      if (child.missing > 0) {
        drop(id, child);
        child.started.reject(error);
      } else {
        // Nobody can be told of its end any more, so this is its end.
        signalGroup(child.pid, 'SIGKILL');
        childEnded(id, child, { exitCode: null, signal: 'SIGKILL' });
      }
    }
    ended.resolve();
  }

  async function spawnChild({ command, args, cwd, env, stdio }: SpawnPlan): Promise<StartedChild> {
    // Node gives it no channel when the system had no descriptors left for it.
    if (lost || helper.channel === undefined) throw new HelperLostError('is gone');
    lastId += 1;
    const id = lastId;
    const child: HelpedChild = {
      started: createDeferred(),
      stdio: stdio.map(() => null),
      pid: -1,
      exit: undefined,
      onExit: () => undefined,
      missing: 1 + stdio.filter((kind) => kind === 'pipe').length,
      holdsHost: false,
    };
    children.set(id, child);
    setHold(child, true);
    const request: SpawnRequest = { id, command, args, cwd, env, stdio };
    helper.send(request, (error) => {
      if (error !== null) lose(`can't be reached: ${error.message}`);
    });
    const timer = clock.setTimer(START_MS, () => {
      fit = false;
      drop(id, child);
      const withdrawal: SpawnWithdrawal = { withdrawn: id };
      helper.send(withdrawal, () => undefined);
      child.started.reject(new HelperLostError(`has not answered for ${START_MS} ms`));
      silence ??= clock.setTimer(HUNG_MS, () => helper.kill('SIGKILL'), { keepAlive: false });
    });
    await child.started.promise.finally(() => timer.cancel());
    return {
      pid: child.pid,
      stdio: child.stdio,
      onExit(listener) {
        if (child.exit === undefined) child.onExit = listener;
        else listener(child.exit);
      },
      ref: () => setHold(child, child.exit === undefined),
      unref: () => setHold(child, false),
    };
  }

  return {
    spawn: spawnChild,
    get isFit() {
      return fit;
    },
    ended: ended.promise,
    get pid() {
      return helper.pid;
    },
    async stop() {
      if (lost) return;
      helper.ref();
      if (helper.connected) helper.disconnect();
      const timer = clock.setTimer(STOP_MS, () => helper.kill('SIGKILL'));
      await ended.promise;
      timer.cancel();
    },
  };
}

/** A server that hands over each connection once the label before its first byte is read. */
function listen(path: string, take: (socket: Socket, label: string) => void): Server {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const read = (): void => {
      const label = socket.read(LABEL_BYTES) as Buffer | null;
      if (label === null) return;
      socket.off('readable', read);
      take(socket, label.toString('latin1'));
    };
    socket.on('readable', read);
  });
  server.on('error', () => undefined);
  server.listen(path);
  server.unref();
  return server;
}

function startHelper(path: string): ChildProcess {
  const helper = spawn(process.execPath, [...NODE_ARGS, ENTRY, path], {
    // With the host's own mark: it comes of whoever the host comes of.
    env: childEnvironment({}, [MARK_NAME]),
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // Out of the terminal's reach: it ends when this process does, and not when Ctrl-C asks this process to.
    detached: true,
  });
  helper.unref();
  return helper;
}
