import type { ModulePlan, StartedModule } from './started-module.ts';
import { moduleStartError } from './module-command.ts';

/**
 * Python holds back what it prints to a pipe until there is much of it, and takes the encoding from the machine: here
 * lines come when they are printed, as UTF-8.
 */
const PYTHON_ENVIRONMENT = { PYTHONUNBUFFERED: '1', PYTHONIOENCODING: 'utf-8' };

/**
 * Runs a module in a process of its own.
 * @throws InterpreterNotFoundError, ScriptNotExecutableError, ProcessStartError
 */
export async function startProcess(plan: ModulePlan): Promise<StartedModule> {
  const { command, cwd, env, inheritEnv } = plan;
  try {
    return await plan.spawn({
      command: command.command,
      args: [...command.args, ...plan.args],
      ...(cwd === undefined ? {} : { cwd }),
      env: command.isPython ? { ...PYTHON_ENVIRONMENT, ...env } : env,
      inheritEnv,
      stdin: 'ignore',
    });
  } catch (error) {
    throw moduleStartError(error, command);
  }
}
