import { createProcessManager } from '@pawl/runtime';
import { resolveModuleCommand } from './module-command.ts';
import { startDryRun } from './module-dry-run.ts';
import { startLocal } from './module-local.ts';
import type { ResolvedModuleOptions } from './module-options.ts';
import { startProcess } from './module-process.ts';
import { startThread } from './module-thread.ts';
import type { RunMode } from './run-mode.ts';
import type { ModulePlan, StartedModule } from './started-module.ts';

const STARTERS: Readonly<Record<RunMode, (plan: ModulePlan) => Promise<StartedModule> | StartedModule>> = {
  async: startProcess,
  threaded: startThread,
  local: startLocal,
  'dry-run': startDryRun,
};

/**
 * Looks at a script and starts it in its mode.
 * @throws ScriptNotFoundError, ScriptNotExecutableError, InterpreterNotFoundError, ProcessStartError
 */
export async function startScript(
  scriptPath: string | URL,
  args: readonly string[],
  options: ResolvedModuleOptions,
): Promise<StartedModule> {
  const { mode, cwd, env, inheritEnv, logger, clock } = options;
  const command = await resolveModuleCommand(scriptPath, options.interpreter);
  // It holds nothing once its process has ended, so that it need not be stopped.
  const processes = options.processes ?? createProcessManager({ clock, spawnHelper: false });
  const plan: ModulePlan = {
    command,
    args,
    cwd,
    env,
    inheritEnv,
    logger,
    spawn: (config) => processes.spawn(config),
  };
  return STARTERS[mode](plan);
}
