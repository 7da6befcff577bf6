import { type PolicyContext, StopRetryError } from '@pawl/resilience';
import { admissionStage } from './admission-stage.ts';
import { cacheStage } from './cache-stage.ts';
import type { ResolvedExecutorOptions } from './executor-options.ts';
import type { ExecutorEmitter } from './executor-events.ts';
import { isFinal } from './outcome.ts';
import type { Stage, Step } from './stage.ts';

type PipelineOptions = Pick<
  ResolvedExecutorOptions,
  'clock' | 'cache' | 'admission' | 'whenNotAdmitted' | 'retry' | 'breaker'
> & { readonly emitter: ExecutorEmitter };

/**
 * The way of a run, from the outside in: cache → admission → retry → breaker → attempt (queue, worker).
 *
 * A stored result takes nothing of the machine, so it is not admitted; of runs that share a result one is. What was
 * admitted is kept from the first attempt to the last. The breaker counts attempts (see docs/decisions/0003).
 */
export function createPipeline(options: PipelineOptions, attempt: Step): Step {
  const { cache, admission, retry, breaker } = options;
  const stages: readonly (Stage | undefined)[] = [
    cache && cacheStage(cache, options.emitter),
    admission && admissionStage(admission, options),
    retry && retryStage(retry),
    breaker && breakerStage(breaker),
  ];
  const wanted = stages.filter((stage) => stage !== undefined);
  if (wanted.length === 0) return attempt;
  const way = wanted.reduceRight((next, stage) => stage(next), attempt);
  // Whatever the stages do, a run that is cut is answered at once.
  return (execution, context) => execution.scope.guard(way(execution, context));
}

/** What no other attempt can better is not shown to the policy; between attempts the run is in this stage. */
function retryStage(retry: NonNullable<PipelineOptions['retry']>): Stage {
  return (next) => (execution, context) => {
    execution.stage = 'retry';
    const attempt = (inner: PolicyContext): Promise<unknown> =>
      next(execution, inner).catch((error: unknown) => {
        execution.pause(error);
        throw isFinal(error) ? new StopRetryError(error) : error;
      });
    return retry.execute(attempt, context).catch((error: unknown) => {
      // A policy of another make passes it on as it is.
      throw error instanceof StopRetryError ? error.cause : error;
    });
  };
}

function breakerStage(breaker: NonNullable<PipelineOptions['breaker']>): Stage {
  return (next) => (execution, context) => {
    execution.stage = 'breaker';
    return breaker.execute((inner) => next(execution, inner), context);
  };
}
