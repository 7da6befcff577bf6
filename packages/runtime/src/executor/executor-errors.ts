import { PawlError } from '@pawl/core';
import type { AdmissionCause } from '../scheduling/admission/admission.ts';

/** There was no room for the run, and it was not to wait for it. */
export class AdmissionRefusedError extends PawlError {
  declare readonly code: 'ADMISSION_REFUSED';
  readonly runId: string;
  readonly task: string;
  /** What there is too little of. */
  readonly resource: AdmissionCause;

  /** @param reason one sentence with the numbers */
  constructor(
    run: { readonly runId: string; readonly task: string },
    { cause, reason }: { readonly cause: AdmissionCause; readonly reason: string },
  ) {
    super(`Run ${run.runId} of "${run.task}" was not admitted. ${reason}`, { code: 'ADMISSION_REFUSED' });
    this.runId = run.runId;
    this.task = run.task;
    this.resource = cause;
  }
}

/** The executor takes no more runs, or ended this one because it stopped. */
export class ExecutorStoppedError extends PawlError {
  declare readonly code: 'EXECUTOR_STOPPED';

  constructor(what: string) {
    super(`${what}: the executor was stopped.`, { code: 'EXECUTOR_STOPPED' });
  }
}
