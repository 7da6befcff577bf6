import { errorCodes, RpcError } from '@pawl/ipc';

/** A run as the host asks for it. */
export interface RunRequest {
  readonly task: string;
  readonly input: unknown;
  readonly runId: string;
  readonly attempt: number;
  /** How much time was left when it was sent; `Infinity` without a limit. */
  readonly budgetMs: number;
  readonly trace: string | undefined;
  /** How many chunks the caller takes at first; undefined when it takes none. */
  readonly credit: number | undefined;
}

/** Reads the params of `run` or `validate`. @throws RpcError when no task is named */
export function runRequest(params: unknown): RunRequest {
  const { task, input, runId, attempt, budgetMs, trace, credit } = (params ?? {}) as Partial<
    Record<keyof RunRequest, unknown>
  >;
  if (typeof task !== 'string') {
    throw new RpcError(errorCodes.invalidParams, 'A run needs `task` to be a string.');
  }
  return {
    task,
    input,
    runId: typeof runId === 'string' ? runId : '',
    attempt: typeof attempt === 'number' ? attempt : 1,
    budgetMs: typeof budgetMs === 'number' ? budgetMs : Infinity,
    trace: typeof trace === 'string' ? trace : undefined,
    credit: typeof credit === 'number' ? credit : undefined,
  };
}
