import { errorCodes, RpcError } from '@pawl/ipc';
import type { RunRegister } from './run-register.ts';

/** Answers `withdraw {ids}` with the runs among them that have not begun, and now never will. @throws RpcError */
export function withdrawRuns(
  register: RunRegister,
  params: unknown,
): { readonly withdrawn: readonly number[] } {
  const { ids } = (params ?? {}) as { readonly ids?: unknown };
  if (!Array.isArray(ids) || !ids.every((id) => Number.isSafeInteger(id))) {
    throw new RpcError(errorCodes.invalidParams, '`withdraw` needs `ids` to be an array of integers.');
  }
  return { withdrawn: register.withdraw(ids as readonly number[]) };
}
