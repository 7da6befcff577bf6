import type { ProcessConfig, ProcessManager } from '../process/process-manager.ts';
import type { RunningChild } from './child-spec.ts';

/** Starts a process as a child of a supervisor. */
export async function startProcessChild(
  manager: ProcessManager,
  config: ProcessConfig,
): Promise<RunningChild> {
  const handle = await manager.spawn({ stdin: 'ignore', stdout: 'inherit', stderr: 'inherit', ...config });
  // Nobody else can: a child that nobody reads blocks once its pipe is full.
  for (const stream of [handle.stdout, handle.stderr, handle.channel]) stream?.resume();
  return { exited: handle.exited, stop: ({ graceMs }) => handle.terminate({ graceMs }) };
}
