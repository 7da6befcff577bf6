import { createDeferred, type Deferred, type Timer } from '@pawl/core';
import type { ResolvedResourcePoolOptions } from './resource-pool-options.ts';
import { ResourcePoolStoppedError } from './resource-pool-options.ts';

/** A resource and what the pool knows of it. */
export interface PooledResource<T> {
  readonly resource: T;
  /** Leases it has served, the present one included. */
  uses: number;
}

export interface PooledResourcesOptions<T> extends ResolvedResourcePoolOptions<T> {
  /** How many callers wait. */
  readonly demand: () => number;
  /** Offers a resource that is fit for use. @returns whether somebody took it */
  readonly onReady: (pooled: PooledResource<T>) => boolean;
  readonly onCreateFailed: (error: unknown) => void;
}

/**
 * Makes, checks, keeps and destroys resources; never more than `max` of them. A resource goes
 * `creating → (leased → (idle → checking)) … → destroying`; only those in between belong to nobody.
 */
export interface PooledResources<T> {
  /** Sees to it that as many resources are on their way as callers wait. */
  supply(): void;
  /** Whether a further caller would be served without anybody giving back. */
  hasRoom(): boolean;
  /** Makes `min` resources. @throws what `create` throws */
  warmUp(): Promise<void>;
  /** As warmUp, in the background; a failure is logged. */
  refill(): void;
  giveBack(pooled: PooledResource<T>): void;
  destroy(pooled: PooledResource<T>): void;
  /** Makes no more, and destroys what is idle and what comes back. */
  close(): void;
  /** Resolves when nothing is left but what is leased, or `create` has ignored its abort for `destroyTimeoutMs`. */
  whenGone(): Promise<void>;
  stats(): {
    readonly size: number;
    readonly idle: number;
    readonly checking: number;
    readonly creating: number;
    readonly destroying: number;
    readonly created: number;
    readonly destroyed: number;
  };
}

export function createPooledResources<T>(options: PooledResourcesOptions<T>): PooledResources<T> {
  const { clock, logger, validate, min, max, idleTimeoutMs, destroyTimeoutMs } = options;
  /** The latest used last: it is taken first, so that those nobody needs grow old. */
  const idle: { readonly pooled: PooledResource<T>; readonly since: number }[] = [];
  const closing = new AbortController();
  let idleTimer: Timer | undefined;
  let size = 0;
  let checking = 0;
  let creating = 0;
  let destroying = 0;
  let created = 0;
  let destroyed = 0;
  let gone: Deferred<void> | undefined;

  const busy = (): number => checking + creating + destroying;

  function supply(): void {
    if (closing.signal.aborted) return;
    // What is there already comes before what is still being made, even if that is on its way for the same caller.
    while (checking < options.demand()) {
      const kept = idle.pop();
      if (kept === undefined) break;
      check(kept.pooled);
    }
    while (isShort()) createForDemand();
    evictLater();
  }

  /** Whether another resource is wanted, and may be made. */
  const isShort = (): boolean => checking + creating < options.demand() && size < max;

  function createForDemand(): void {
    void create().catch((error: unknown) => {
      options.onCreateFailed(error);
      supply();
    });
  }

  async function create(): Promise<void> {
    size += 1;
    creating += 1;
    try {
      const resource = await options.create({ signal: closing.signal });
      created += 1;
      creating -= 1;
      offer({ resource, uses: 0 });
    } catch (error) {
      creating -= 1;
      size -= 1;
      throw error;
    } finally {
      tellGone();
    }
  }

  /** Gives a resource to whoever waits longest, or keeps it. */
  function offer(pooled: PooledResource<T>): void {
    if (closing.signal.aborted) destroy(pooled);
    else if (!options.onReady(pooled)) {
      idle.push({ pooled, since: clock.now() });
      evictLater();
    }
  }

  function check(pooled: PooledResource<T>): void {
    if (validate === undefined) {
      offer(pooled);
      return;
    }
    checking += 1;
    const verdict = (async () => validate(pooled.resource))();
    void verdict
      .catch((error: unknown) => {
        logger.warn({ err: error }, 'A resource could not be validated; it is replaced.');
        return false;
      })
      .then((isFit) => {
        checking -= 1;
        if (isFit) offer(pooled);
        else {
          destroy(pooled);
          supply();
        }
        tellGone();
      });
  }

  function giveBack(pooled: PooledResource<T>): void {
    if (!closing.signal.aborted && options.demand() > 0) check(pooled);
    else offer(pooled);
  }

  function destroy(pooled: PooledResource<T>): void {
    destroying += 1;
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      destroying -= 1;
      destroyed += 1;
      size -= 1;
      supply();
      refill();
      tellGone();
    };
    const timer = clock.setTimer(destroyTimeoutMs, () => {
      logger.warn(`A resource was not destroyed within ${destroyTimeoutMs} ms; its place is given away.`);
      over();
    });
    void (async () => options.destroy(pooled.resource))()
      .catch((error: unknown) => logger.warn({ err: error }, 'A resource could not be destroyed.'))
      .then(over);
  }

  function refill(): void {
    for (let missing = min - size; missing > 0 && !closing.signal.aborted; missing -= 1) {
      void create().catch((error: unknown) =>
        logger.warn({ err: error }, 'A resource could not be made; the next acquire tries again.'),
      );
    }
  }

  /** Waits for the oldest idle resource that may go. */
  function evictLater(): void {
    idleTimer?.cancel();
    idleTimer = undefined;
    const [oldest] = idle;
    if (oldest === undefined || size - destroying <= min || idleTimeoutMs === Infinity) return;
    const dueMs = Math.max(0, oldest.since + idleTimeoutMs - clock.now());
    idleTimer = clock.setTimer(
      dueMs,
      () => {
        idle.shift();
        destroy(oldest.pooled);
        evictLater();
      },
      { keepAlive: false },
    );
  }

  function tellGone(): void {
    if (busy() === 0) gone?.resolve();
  }

  return {
    supply,
    hasRoom: () => idle.length > 0 || size < max,
    async warmUp() {
      await Promise.all(Array.from({ length: Math.max(0, min - size) }, () => create()));
    },
    refill,
    giveBack,
    destroy,
    close() {
      closing.abort(new ResourcePoolStoppedError());
      idleTimer?.cancel();
      for (const { pooled } of idle.splice(0)) destroy(pooled);
    },
    async whenGone() {
      if (busy() === 0) return;
      gone = createDeferred();
      const timer = clock.setTimer(destroyTimeoutMs, gone.resolve);
      await gone.promise;
      timer.cancel();
    },
    stats: () => ({ size, idle: idle.length, checking, creating, destroying, created, destroyed }),
  };
}
