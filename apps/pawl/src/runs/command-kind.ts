import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { attemptLogId, type OutputLogs, processTask, type RunContext } from '@pawl/tasks';
import type { z } from 'zod';
import type { commandRequest } from '../api/run-schemas.ts';
import { checkFolder, unusable } from './request-checks.ts';
import type { RunKind } from './run-kind.ts';
import { commandTitle } from './run-title.ts';

type CommandRequest = z.infer<typeof commandRequest>;

export interface CommandKindOptions {
  readonly logs: OutputLogs;
  /** The folders where programs are looked up, as in `PATH`. */
  readonly searchPath: string;
}

/** Programs of this machine, started without a shell. */
export function createCommandKind({ logs, searchPath }: CommandKindOptions): RunKind<CommandRequest> {
  async function run(input: CommandRequest, context: RunContext): Promise<unknown> {
    const { file, args = [], cwd, env = {} } = input;
    const log = logs.create(attemptLogId(context.runId, context.fence));
    const task = processTask(
      { command: file, args, env, ...(cwd === undefined ? {} : { cwd }) },
      { onOutput: (stream, chunk) => log.write(stream, chunk) },
    );
    try {
      return await task(input, context);
    } finally {
      await log.end();
    }
  }

  return {
    prepare(request) {
      checkFolder('command.cwd', request.cwd);
      // A path is one of the service's; a name is looked up anew by each attempt.
      const isPath = request.file.includes('/');
      const file = isPath ? resolve(request.file) : request.file;
      const candidates = isPath ? [file] : searchPath.split(delimiter).map((folder) => join(folder, file));
      if (!candidates.some(isExecutable)) {
        throw unusable(
          'PROGRAM_NOT_FOUND',
          'command.file',
          `Expected \`command.file\` to be a program ${isPath ? 'that may be executed' : 'in PATH'}, got \`${request.file}\`.`,
        );
      }
      return { task: 'command', input: { ...request, file } };
    },
    title: ({ file, args }) => commandTitle(file, args),
    run,
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
