import { PawlError } from '@pawl/core';
import type { RejectedSandbox } from './sandbox.ts';

/** No sandbox that is strong enough works here: untrusted code is not run. */
export class SandboxUnavailableError extends PawlError {
  declare readonly code: 'SANDBOX_UNAVAILABLE';
  /** What was tried, strongest first. */
  readonly rejected: readonly RejectedSandbox[];

  constructor(rejected: readonly RejectedSandbox[]) {
    const tried = rejected.map(({ kind, reason }) => `${kind}: ${reason}`).join('; ');
    super(
      `No sandbox works here, so no program is run (${tried}). Install bubblewrap and allow user namespaces ` +
        '(in a container: a seccomp profile that lets clone, unshare, mount and pivot_root through), or use Linux 6.12 ' +
        'or later for landlock. To run programs you trust as your own without one, set `allowUnsandboxed`.',
      { code: 'SANDBOX_UNAVAILABLE' },
    );
    this.rejected = rejected;
  }
}
