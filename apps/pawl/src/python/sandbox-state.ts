import { hasCode } from '@pawl/core';
import type { RejectedSandbox, SandboxReport, SandboxUnavailableError } from '@pawl/python';

/** Whether programs can be run, and in what. */
export type SandboxState =
  | ({ readonly available: true } & SandboxReport)
  | { readonly available: false; readonly rejected: readonly RejectedSandbox[]; readonly remedy: string };

/** What would help where no sandbox works. */
export const REMEDY: string =
  'Install bubblewrap and python3 (`apt-get install bubblewrap python3`) and allow user namespaces ' +
  '(in a container: a seccomp profile that lets clone, unshare, mount and pivot_root through), ' +
  'or use Linux 6.12 or later for landlock. ' +
  'Where you trust every program as your own, set PAWL_ALLOW_UNSANDBOXED=1.';

const DOCTOR = '`pawl doctor` shows what is missing.';

/** @throws what is not about the sandbox */
export async function readSandboxState(report: () => Promise<SandboxReport>): Promise<SandboxState> {
  try {
    return { available: true, ...(await report()) };
  } catch (error) {
    if (!isSandboxUnavailable(error)) throw error;
    return { available: false, rejected: error.rejected, remedy: REMEDY };
  }
}

/** One sentence for a sandbox that is none, or a weaker one than there could be; undefined for the strongest. */
export function sandboxProblem(state: SandboxState): string | undefined {
  const tried = state.rejected.map(({ kind, reason }) => `${kind}: ${reason}`).join('; ');
  if (!state.available) return `No sandbox works here, so no program is run (${tried}). ${REMEDY} ${DOCTOR}`;
  if (state.kind === 'bubblewrap') return undefined;
  return state.kind === 'none'
    ? `Programs run without a sandbox, with all rights of this service (${tried}).`
    : `Programs run in the sandbox ${state.kind}, which is not the strongest (${tried}).`;
}

export function isSandboxUnavailable(error: unknown): error is SandboxUnavailableError {
  return hasCode(error, 'SANDBOX_UNAVAILABLE');
}
