import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SpawnPlan, StartedChild } from './spawner.ts';

/** Starts a process as a child of this one. Where Node forks, its memory makes that slow: see `spawn-helper.ts`. */
export async function spawnDirectly({ command, args, cwd, env, stdio }: SpawnPlan): Promise<StartedChild> {
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env,
    stdio: [...stdio],
    // A group of its own, so that all it starts can be signalled together. On Windows it would open a console.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    throw error;
  }
  return {
    pid: child.pid,
    stdio: child.stdio,
    onExit: (listener) => child.once('exit', (exitCode, signal) => listener({ exitCode, signal })),
    ref: () => child.ref(),
    unref: () => child.unref(),
  };
}
