import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkerCommand } from '@pawl/runtime';
import type { SandboxKind } from './sandbox.ts';

const LAUNCHER = fileURLToPath(new URL('../../src/harness/launch.py', import.meta.url));
const RUNTIME = dirname(createRequire(import.meta.url).resolve('@pawl/runtime/package.json'));
/** The worker's side of the protocol. */
const WORKER_SDK = join(RUNTIME, 'src/python/pawl_worker.py');

/** Without the user's settings and site-packages, unbuffered, in UTF-8, leaving no compiled files behind. */
const ISOLATED = ['-I', '-S', '-B', '-u', '-X', 'utf8'];

/** Starts `launch.py`, which gives up this process's rights and descriptors before anything else. */
export function launchCommand(
  python: string,
  kind: SandboxKind,
  options: Readonly<Record<string, string>>,
): WorkerCommand {
  return {
    command: python,
    args: [...ISOLATED, LAUNCHER, kind, JSON.stringify({ ...options, sdk: WORKER_SDK })],
    channel: 'fd3',
  };
}
