import type { TaskCache } from '@pawl/caching';
import { CancelScope, contextWithin } from '@pawl/resilience';
import type { ExecutorEmitter } from './executor-events.ts';
import type { Stage, Step } from './stage.ts';

/** A deterministic run gets the stored result, or waits for another's; or else it runs, and its result is stored. */
export function cacheStage(cache: TaskCache, emitter: ExecutorEmitter): Stage {
  const lookUp =
    (next: Step): Step =>
    async (execution, context) => {
      const { runId, task, input, options } = execution;
      execution.stage = 'cache';
      const produce = (_input: unknown, { signal }: { readonly signal: AbortSignal }): Promise<unknown> => {
        emitter.emit('cache:missed', { runId, task });
        // Those who wait for the result end it together, when none of them is left.
        return next(execution, contextWithin(new CancelScope(signal)));
      };
      const { value, cached, shared } = await cache.run(task, input, produce, {
        deterministic: true,
        force: options.force === true,
        signal: context.signal,
      });
      if (cached) {
        execution.source = 'cache';
        emitter.emit('cache:hit', { runId, task });
      } else if (shared) {
        execution.source = 'shared';
        emitter.emit('cache:shared', { runId, task });
      }
      return value;
    };
  return (next) => {
    const stored = lookUp(next);
    return (execution, context) =>
      (execution.options.deterministic === true ? stored : next)(execution, context);
  };
}
