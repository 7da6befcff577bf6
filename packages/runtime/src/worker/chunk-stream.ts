import { createDeferred, type Deferred } from '@pawl/core';

/** The chunks of one run: sent in order, never more than the host has allowed. */
export interface ChunkStream {
  /** Resolves when the channel took the chunk. @throws the reason of `end`, or what `send` throws */
  emit(chunk: unknown): Promise<void>;
  /** The host allows `n` more. */
  grant(n: number): void;
  /** Nothing is sent any more. With a reason, those that wait reject with it. */
  end(reason?: Error): void;
}

/** @param credit how many chunks the host allows at first; undefined when it takes none: then they are dropped */
export function createChunkStream(
  credit: number | undefined,
  send: (seq: number, chunk: unknown) => Promise<void>,
): ChunkStream {
  let granted = credit ?? Infinity;
  let sent = 0;
  let ended: { readonly reason: Error | undefined } | undefined;
  const waiting: { readonly chunk: unknown; readonly done: Deferred<void> }[] = [];

  function pass(chunk: unknown): Promise<void> {
    const seq = sent;
    sent += 1;
    return send(seq, chunk);
  }

  return {
    emit(chunk) {
      if (ended?.reason !== undefined) return Promise.reject(ended.reason);
      if (credit === undefined || ended !== undefined) return Promise.resolve();
      if (sent < granted && waiting.length === 0) return pass(chunk);
      const done = createDeferred();
      waiting.push({ chunk, done });
      return done.promise;
    },
    grant(n) {
      granted += n;
      while (sent < granted) {
        const next = waiting.shift();
        if (next === undefined) return;
        pass(next.chunk).then(next.done.resolve, next.done.reject);
      }
    },
    end(reason) {
      ended ??= { reason };
      for (const { done } of waiting.splice(0)) {
        if (reason === undefined) done.resolve();
        else done.reject(reason);
      }
    },
  };
}
