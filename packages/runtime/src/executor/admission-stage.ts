import type { Clock } from '@pawl/core';
import { type PolicyContext, scopeOf } from '@pawl/resilience';
import type { Admission, Admitted } from '../scheduling/admission/admission.ts';
import type { Execution } from './execution.ts';
import { AdmissionRefusedError } from './executor-errors.ts';
import type { ExecutorEmitter } from './executor-events.ts';
import type { Stage } from './stage.ts';
import { WorkerOccupation } from './worker-occupation.ts';

export interface AdmissionStageOptions {
  readonly whenNotAdmitted: 'wait' | 'reject';
  readonly emitter: ExecutorEmitter;
  readonly clock: Clock;
}

/** A run begins when there is room for it, and takes the room until its last worker is done with it. */
export function admissionStage(admission: Admission, options: AdmissionStageOptions): Stage {
  const { whenNotAdmitted, emitter, clock } = options;

  /** @throws AdmissionRefusedError when it is not to wait */
  async function waitForRoom(execution: Execution, { signal }: PolicyContext): Promise<Admitted> {
    const { runId, task } = execution;
    const { tokens } = execution.options;
    const verdict = admission.check(tokens);
    if (!verdict.admitted) {
      const { cause, reason } = verdict;
      const event = { runId, task, resource: cause, reason };
      if (whenNotAdmitted === 'reject') {
        emitter.emit('admission:refused', event);
        throw new AdmissionRefusedError({ runId, task }, verdict);
      }
      emitter.emit('admission:waiting', event);
    }
    return admission.acquire(tokens, { signal });
  }

  return (next) => async (execution, context) => {
    const { runId, task } = execution;
    execution.stage = 'admission';
    const askedAt = clock.now();
    const admitted = await (admission.tryAcquire(execution.options.tokens) ??
      waitForRoom(execution, context));
    const grantedAt = clock.now();
    const occupation = new WorkerOccupation(() => {
      admitted.release();
      emitter.emit('admission:released', { runId, task, heldMs: clock.now() - grantedAt });
    });
    execution.occupation = occupation;
    try {
      // It may have been let in and cancelled in one turn.
      const scope = scopeOf(context);
      if (scope?.aborted === true) throw scope.reason as Error;
      emitter.emit('admission:granted', { runId, task, waitedMs: grantedAt - askedAt });
      return await next(execution, context);
    } finally {
      occupation.leave();
    }
  };
}
