import type { Clock } from '@pawl/core';
import type { Admission, Admitted } from '../scheduling/admission/admission.ts';
import type { Execution } from './execution.ts';
import { AdmissionRefusedError } from './executor-errors.ts';
import type { ExecutorEmitter } from './executor-events.ts';
import type { Stage } from './stage.ts';

export interface AdmissionStageOptions {
  readonly whenNotAdmitted: 'wait' | 'reject';
  readonly emitter: ExecutorEmitter;
  readonly clock: Clock;
}

/** A run begins when there is room for it, and takes the room until its last worker is done with it. */
export function admissionStage(admission: Admission, options: AdmissionStageOptions): Stage {
  const { whenNotAdmitted, emitter, clock } = options;

  /** Told when it is not let in at once. @throws AdmissionRefusedError when it is not to wait */
  function look({ runId, task, options: { tokens } }: Execution): void {
    const verdict = admission.check(tokens);
    if (verdict.admitted) return;
    const { cause, reason } = verdict;
    const event = { runId, task, resource: cause, reason };
    if (whenNotAdmitted === 'reject') {
      emitter.emit('admission:refused', event);
      throw new AdmissionRefusedError({ runId, task }, verdict);
    }
    emitter.emit('admission:waiting', event);
  }

  async function releaseAfter(
    held: readonly Promise<unknown>[],
    admitted: Admitted,
    { runId, task }: Execution,
    grantedAt: number,
  ): Promise<void> {
    await Promise.allSettled(held);
    admitted.release();
    emitter.emit('admission:released', { runId, task, heldMs: clock.now() - grantedAt });
  }

  return async (execution, context, next) => {
    const { runId, task, options: how } = execution;
    execution.stage = 'admission';
    const askedAt = clock.now();
    look(execution);
    const { signal } = context;
    const admitted = await admission.acquire(how.tokens, { signal });
    const grantedAt = clock.now();
    const held: Promise<unknown>[] = [];
    execution.held = held;
    try {
      // It may have been let in and cancelled in one turn.
      signal.throwIfAborted();
      emitter.emit('admission:granted', { runId, task, waitedMs: grantedAt - askedAt });
      return await next(context);
    } finally {
      void releaseAfter(held, admitted, execution, grantedAt);
    }
  };
}
