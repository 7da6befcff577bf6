import {
  checkDurationMs,
  checkSignal,
  createDeferred,
  createLifecycle,
  type Deferred,
  onAbort,
  type Service,
  type StopReport,
  type Timer,
  untilAborted,
} from '@pawl/core';
import { type Lease, OpenLease } from './resource-pool-lease.ts';
import { createPooledResources, type PooledResource } from './resource-pool-resources.ts';
import {
  AcquireTimeoutError,
  ResourcePoolFullError,
  type ResourcePoolOptions,
  ResourcePoolStoppedError,
  resolveResourcePoolOptions,
} from './resource-pool-options.ts';

export interface AcquireOptions {
  /**
   * Ends the wait: it rejects with the signal's reason. When it aborts later the holder has lost its lease: the
   * resource is destroyed, because the holder may still be using it, and another one takes its place.
   */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait, in milliseconds. @default the pool's `acquireTimeoutMs` */
  readonly timeoutMs?: number;
}

export interface ResourcePoolStats {
  /** All resources there are: `idle + leased + checking + creating + destroying`. */
  readonly size: number;
  readonly idle: number;
  readonly leased: number;
  /** Being validated. */
  readonly checking: number;
  readonly creating: number;
  readonly destroying: number;
  readonly waiting: number;
  /** Since the pool was made. */
  readonly created: number;
  readonly destroyed: number;
  readonly acquired: number;
  readonly timedOut: number;
}

/** Shares a bounded number of expensive things, each with one holder at a time. */
export interface ResourcePool<T> extends Service {
  /**
   * Waits for a resource; callers are served in the order of their calls. Starts the pool if need be.
   * @throws AcquireTimeoutError, ResourcePoolFullError, ResourcePoolStoppedError, what `create` threw, or the
   * signal's reason
   */
  acquire(options?: AcquireOptions): Promise<Lease<T>>;
  /** Acquires, calls `fn` and releases, whatever comes of it. An abort answers at once with the signal's reason. */
  use<R>(fn: (resource: T, lease: Lease<T>) => R | Promise<R>, options?: AcquireOptions): Promise<R>;
  stats(): ResourcePoolStats;
}

interface Waiter<T> {
  readonly deferred: Deferred<Lease<T>>;
  readonly signal: AbortSignal | undefined;
  /** Takes its timer and listener away. */
  leave: () => void;
}

/** @throws TypeError, RangeError for wrong options */
export function createResourcePool<T>(options: ResourcePoolOptions<T>): ResourcePool<T> {
  const resolved = resolveResourcePoolOptions(options);
  const { clock, maxUses, maxWaiting } = resolved;
  /** In the order of the calls. A set, so that leaving from the middle costs nothing. */
  const waiters = new Set<Waiter<T>>();
  const leases = new Set<OpenLease<T>>();
  let leaseCount = 0;
  let timedOut = 0;
  /** Whether somebody waits for the start, and is told of its failure. */
  let mustBeReady = false;
  let whenReturned: Deferred<void> | undefined;

  const resources = createPooledResources({
    ...resolved,
    demand: () => waiters.size,
    onReady: (pooled) => {
      const [waiter] = waiters;
      if (waiter === undefined) return false;
      waiters.delete(waiter);
      waiter.leave();
      waiter.deferred.resolve(lend(pooled, waiter.signal));
      return true;
    },
    onCreateFailed: (error) => {
      const [waiter] = waiters;
      if (waiter === undefined) return;
      waiters.delete(waiter);
      waiter.leave();
      waiter.deferred.reject(error);
    },
  });

  const lifecycle = createLifecycle({
    name: 'the resource pool',
    start: (signal) => {
      if (mustBeReady) return untilAborted(resources.warmUp(), signal);
      return resources.refill();
    },
    stop: ({ graceMs }) => stopAll(graceMs),
  });

  function lend(pooled: PooledResource<T>, signal: AbortSignal | undefined): Lease<T> {
    leaseCount += 1;
    pooled.uses += 1;
    const lease: OpenLease<T> = new OpenLease(`lease-${leaseCount}`, pooled.resource, (mayReuse) => {
      leases.delete(lease);
      if (mayReuse && pooled.uses < maxUses) resources.giveBack(pooled);
      else resources.destroy(pooled);
      if (leases.size === 0) whenReturned?.resolve();
    });
    leases.add(lease);
    lease.follow(signal);
    return lease;
  }

  /** Settles when a resource is free, the time is over, or the signal aborts. */
  function wait(signal: AbortSignal | undefined, timeoutMs: number): Promise<Lease<T>> {
    const deferred = createDeferred<Lease<T>>();
    const waiter: Waiter<T> = { deferred, signal, leave: () => undefined };
    waiters.add(waiter);
    resources.supply();
    // Often it is served by now.
    if (!waiters.has(waiter)) return deferred.promise;
    const giveUp = (error: unknown): void => {
      waiters.delete(waiter);
      waiter.leave();
      deferred.reject(error);
    };
    const timer: Timer = clock.setTimer(timeoutMs, () => {
      timedOut += 1;
      giveUp(new AcquireTimeoutError(timeoutMs, leases.size));
    });
    const unlink = onAbort(signal, giveUp);
    waiter.leave = () => {
      timer.cancel();
      unlink();
    };
    return deferred.promise;
  }

  async function stopAll(graceMs: number): Promise<StopReport> {
    for (const waiter of waiters) {
      waiter.leave();
      waiter.deferred.reject(new ResourcePoolStoppedError());
    }
    waiters.clear();
    resources.close();
    if (leases.size > 0 && graceMs > 0) {
      whenReturned = createDeferred();
      const timer = clock.setTimer(graceMs, () => whenReturned?.resolve());
      await whenReturned.promise;
      timer.cancel();
    }
    const orphaned = [...leases].map(({ id }) => id);
    for (const lease of leases) lease.revoke();
    await resources.whenGone();
    return { drained: orphaned.length === 0, orphaned };
  }

  async function acquire({ signal, timeoutMs }: AcquireOptions = {}): Promise<Lease<T>> {
    if (signal !== undefined) checkSignal('signal', signal).throwIfAborted();
    const waitMs = checkDurationMs('timeoutMs', timeoutMs ?? resolved.acquireTimeoutMs, { infinite: true });
    if (lifecycle.state === 'draining' || lifecycle.state === 'stopped') throw new ResourcePoolStoppedError();
    if (lifecycle.state === 'idle') void lifecycle.start().catch(() => undefined);
    if (waiters.size >= maxWaiting && !resources.hasRoom()) throw new ResourcePoolFullError(maxWaiting);
    return wait(signal, waitMs);
  }

  return {
    acquire,
    async use(fn, acquireOptions = {}) {
      const lease = await acquire(acquireOptions);
      const aborted = createDeferred<never>();
      const unlink = onAbort(acquireOptions.signal, aborted.reject);
      try {
        acquireOptions.signal?.throwIfAborted();
        return await Promise.race([aborted.promise, fn(lease.resource, lease)]);
      } finally {
        unlink();
        await lease[Symbol.asyncDispose]();
      }
    },
    stats: () => ({
      ...resources.stats(),
      leased: leases.size,
      waiting: waiters.size,
      acquired: leaseCount,
      timedOut,
    }),
    get state() {
      return lifecycle.state;
    },
    start() {
      mustBeReady = true;
      return lifecycle.start();
    },
    stop: (stopOptions) => lifecycle.stop(stopOptions),
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),
  };
}
