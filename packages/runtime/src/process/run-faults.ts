import { errorCodes, RemoteError } from '@pawl/ipc';

/** What an error response means when the worker gives no code of its own: a worker of 30 lines need not. */
const CODE_OF: Readonly<Record<number, string>> = {
  [errorCodes.methodNotFound]: 'METHOD_NOT_FOUND',
  [errorCodes.invalidParams]: 'INVALID_PARAMS',
  [errorCodes.cancelled]: 'CANCELLED',
  [errorCodes.budgetExceeded]: 'BUDGET_EXCEEDED',
  [errorCodes.noSuchTask]: 'NO_SUCH_TASK',
  [errorCodes.invalidInput]: 'INVALID_INPUT',
  [errorCodes.resultNotSendable]: 'RESULT_NOT_SENDABLE',
  [errorCodes.draining]: 'WORKER_DRAINING',
};

/** Gives a worker's error response a `code` to branch on, if it has none. @returns the same error */
export function withCode(error: unknown): unknown {
  if (!(error instanceof RemoteError) || error.code !== 'REMOTE_ERROR' || error.rpcCode === undefined) {
    return error;
  }
  const code = CODE_OF[error.rpcCode];
  if (code !== undefined) Object.defineProperty(error, 'code', { value: code });
  return error;
}
