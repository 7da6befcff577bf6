import { extname, resolve } from 'node:path';
import { moduleTask, type OutputLogs, resolveModuleCommand, type RunMode } from '@pawl/tasks';
import type { z } from 'zod';
import type { scriptRequest } from '../api/run-schemas.ts';
import { checkFolder } from './request-checks.ts';
import type { RunKind } from './run-kind.ts';
import { commandTitle } from './run-title.ts';

type ScriptRequest = z.infer<typeof scriptRequest>;

export interface ScriptKindOptions {
  readonly logs: OutputLogs;
  /** How scripts are run. */
  readonly mode: RunMode;
  /** The interpreter of `.py` files. @default the first that works, of `python3` and `/usr/bin/python3` */
  readonly python?: string | undefined;
}

/** Scripts of this machine. */
export function createScriptKind({ logs, mode, python }: ScriptKindOptions): RunKind<ScriptRequest> {
  const runScript = moduleTask({ logs });
  const interpreterOf = ({ path, interpreter }: ScriptRequest): string | undefined =>
    interpreter ?? (extname(path).toLowerCase() === '.py' ? python : undefined);

  return {
    async prepare(request) {
      const input = { ...request, path: resolve(request.path) };
      checkFolder('script.cwd', input.cwd);
      // What is missing is said now, not by a run that fails later.
      await resolveModuleCommand(input.path, interpreterOf(input));
      return { task: 'script', input };
    },
    title: ({ path, args }) => commandTitle(path, args),
    async run(input, context) {
      const { path: scriptPath, args = [], cwd, env } = input;
      return runScript({ scriptPath, args, cwd, env, mode, interpreter: interpreterOf(input) }, context);
    },
  };
}
