import { StopRetryError, timeout, type TimeoutPolicy } from '@pawl/resilience';
import type { Attempt } from './attempt.ts';
import { admissionStage } from './admission-stage.ts';
import { cacheStage } from './cache-stage.ts';
import type { Execution } from './execution.ts';
import type { ResolvedExecutorOptions } from './executor-options.ts';
import type { ExecutorEmitter } from './executor-events.ts';
import { isFinal } from './outcome.ts';
import type { Next, Stage } from './stage.ts';

/** The way of a run, from the outside in. */
export type Pipeline = (execution: Execution, attempt: Attempt) => Promise<unknown>;

type PipelineOptions = Pick<
  ResolvedExecutorOptions,
  'timeoutMs' | 'clock' | 'cache' | 'admission' | 'whenNotAdmitted' | 'retry' | 'breaker'
> & { readonly emitter: ExecutorEmitter };

/**
 * deadline → cache → admission → retry → breaker → attempt (queue, worker).
 *
 * A stored result takes nothing of the machine, so it is not admitted; of runs that share a result one is. What was
 * admitted is kept from the first attempt to the last. The breaker counts attempts (see docs/decisions/0003).
 */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { cache, admission, retry, breaker } = options;
  const stages: readonly (Stage | undefined)[] = [
    cache && cacheStage(cache, options.emitter),
    admission && admissionStage(admission, options),
    retry && retryStage(retry),
    breaker && breakerStage(breaker),
  ];
  const inward = stages.filter((stage) => stage !== undefined).toReversed();
  const withinDeadline = deadlineStage(options);

  return (execution, attempt) => {
    let next: Next = (context) => attempt(execution, context);
    for (const stage of inward) {
      const inner = next;
      next = (context) => stage(execution, context, inner);
    }
    return withinDeadline(execution, next);
  };
}

/** Also what answers at once when the run is cancelled, whatever the stages further in do. */
function deadlineStage({
  timeoutMs: defaultMs,
  clock,
}: PipelineOptions): (execution: Execution, next: Next) => Promise<unknown> {
  const usual = timeout(defaultMs, { clock });
  const limit = (timeoutMs: number): TimeoutPolicy =>
    timeoutMs === defaultMs ? usual : timeout(timeoutMs, { clock });
  return (execution, next) =>
    limit(execution.timeoutMs).execute(
      (context) => {
        execution.deadline = context;
        return next(context);
      },
      { signal: execution.link?.signal },
    );
}

/** What no other attempt can better is not shown to the policy; between attempts the run is in this stage. */
function retryStage(retry: NonNullable<PipelineOptions['retry']>): Stage {
  return async (execution, context, next) => {
    execution.stage = 'retry';
    try {
      return await retry.execute(async (inner) => {
        try {
          return await next(inner);
        } catch (error) {
          execution.pause(error);
          throw isFinal(error) ? new StopRetryError(error) : error;
        }
      }, context);
    } catch (error) {
      // A policy of another make passes it on as it is.
      throw error instanceof StopRetryError ? error.cause : error;
    }
  };
}

function breakerStage(breaker: NonNullable<PipelineOptions['breaker']>): Stage {
  return (execution, context, next) => {
    execution.stage = 'breaker';
    return breaker.execute(next, context);
  };
}
