import type { TaskCache } from '@pawl/caching';
import type { ExecutorEmitter } from './executor-events.ts';
import type { Stage } from './stage.ts';

/** A deterministic run gets the stored result, or waits for another's; or else it runs, and its result is stored. */
export function cacheStage(cache: TaskCache, emitter: ExecutorEmitter): Stage {
  return async (execution, context, next) => {
    const { runId, task, input, options } = execution;
    const { deterministic = false, force = false } = options;
    if (!deterministic) return next(context);
    execution.stage = 'cache';
    const produce = (_input: unknown, { signal }: { readonly signal: AbortSignal }): Promise<unknown> => {
      emitter.emit('cache:missed', { runId, task });
      return next({ signal, attempt: context.attempt });
    };
    const { value, cached, shared } = await cache.run(task, input, produce, {
      deterministic,
      force,
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
}
