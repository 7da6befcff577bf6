import { createEmitter, type Emitter, type Logger } from '@pawl/core';
import type { PoolEvents } from '../events.ts';

/** A pool's emitter, which knows what is listened to: the hot path asks that several times a run. */
export interface PoolEmitter extends Emitter<PoolEvents> {
  readonly hears: Readonly<Record<HotEvent, boolean>>;
}

/** What would be told with each run. */
type HotEvent = 'run:started' | 'run:succeeded' | 'worker:output' | 'queue:drained';

export function createPoolEmitter(logger: Logger): PoolEmitter {
  const emitter = createEmitter<PoolEvents>({ logger });
  const hears: Record<HotEvent, boolean> = {
    'run:started': false,
    'run:succeeded': false,
    'worker:output': false,
    'queue:drained': false,
  };

  function refresh(): void {
    for (const name of Object.keys(hears) as HotEvent[]) hears[name] = emitter.listenerCount(name) > 0;
  }

  function following(stop: () => void): () => void {
    refresh();
    return () => {
      stop();
      refresh();
    };
  }

  return {
    ...emitter,
    on: (name, listener) => following(emitter.on(name, listener)),
    onAny: (listener) => following(emitter.onAny(listener)),
    hears,
  };
}
