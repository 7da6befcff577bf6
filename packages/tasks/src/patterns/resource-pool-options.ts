import {
  checkAtMost,
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  type Clock,
  type Logger,
  PawlError,
  silentLogger,
  systemClock,
} from '@pawl/core';

export interface ResourcePoolOptions<T> {
  /** Makes a resource. `signal` aborts when the pool stops meanwhile; what comes after that is destroyed. */
  readonly create: (context: { readonly signal: AbortSignal }) => T | Promise<T>;
  /** Ends a resource. What it throws is logged. */
  readonly destroy: (resource: T) => unknown;
  /** Asked before a resource is handed out again: one that answers `false`, or throws, is replaced. @default none */
  readonly validate?: (resource: T) => boolean | Promise<boolean>;
  /** Resources kept alive even when idle, made by `start`. @default 0 */
  readonly min?: number;
  /** Resources there may be at one time, those included that are being made or destroyed. @default 10 */
  readonly max?: number;
  /** How long `acquire` waits, making and validating included, in milliseconds. @default Infinity */
  readonly acquireTimeoutMs?: number;
  /** Callers that may wait; one more is refused. @default Infinity */
  readonly maxWaiting?: number;
  /** How long a resource beyond `min` may be idle, in milliseconds. @default Infinity */
  readonly idleTimeoutMs?: number;
  /** Leases a resource serves before it is replaced. @default Infinity */
  readonly maxUses?: number;
  /** How long `destroy` may take before its place is given to another resource, in milliseconds. @default 5000 */
  readonly destroyTimeoutMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default silentLogger */
  readonly logger?: Logger;
}

export interface ResolvedResourcePoolOptions<T> extends Required<Omit<ResourcePoolOptions<T>, 'validate'>> {
  readonly validate: ResourcePoolOptions<T>['validate'];
}

const KEYS: readonly (keyof ResourcePoolOptions<unknown>)[] = [
  'create',
  'destroy',
  'validate',
  'min',
  'max',
  'acquireTimeoutMs',
  'maxWaiting',
  'idleTimeoutMs',
  'maxUses',
  'destroyTimeoutMs',
  'clock',
  'logger',
];

/** @throws TypeError, RangeError */
export function resolveResourcePoolOptions<T>(
  options: ResourcePoolOptions<T>,
): ResolvedResourcePoolOptions<T> {
  checkKnownKeys('createResourcePool', options, KEYS);
  const max = checkInteger('max', options.max ?? 10, { min: 1 });
  const min = checkInteger('min', options.min ?? 0, { min: 0 });
  checkAtMost('min', min, 'max', max);
  const forever = { infinite: true };
  return {
    create: checkFunction('create', options.create),
    destroy: checkFunction('destroy', options.destroy),
    validate: options.validate && checkFunction('validate', options.validate),
    min,
    max,
    acquireTimeoutMs: checkDurationMs('acquireTimeoutMs', options.acquireTimeoutMs ?? Infinity, forever),
    maxWaiting: checkInteger('maxWaiting', options.maxWaiting ?? Infinity, { min: 0, infinite: true }),
    idleTimeoutMs: checkDurationMs('idleTimeoutMs', options.idleTimeoutMs ?? Infinity, forever),
    maxUses: checkInteger('maxUses', options.maxUses ?? Infinity, { min: 1, infinite: true }),
    destroyTimeoutMs: checkDurationMs('destroyTimeoutMs', options.destroyTimeoutMs ?? 5_000),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}

/** All resources were in use for as long as the caller would wait. */
export class AcquireTimeoutError extends PawlError {
  declare readonly code: 'ACQUIRE_TIMEOUT';
  readonly timeoutMs: number;

  constructor(timeoutMs: number, leased: number) {
    super(`No resource became free within ${timeoutMs} ms; ${leased} are leased.`, {
      code: 'ACQUIRE_TIMEOUT',
    });
    this.timeoutMs = timeoutMs;
  }
}

/** As many callers wait as may wait. */
export class ResourcePoolFullError extends PawlError {
  declare readonly code: 'RESOURCE_POOL_FULL';
  readonly maxWaiting: number;

  constructor(maxWaiting: number) {
    super(`The resource pool is full: ${maxWaiting} callers wait already.`, { code: 'RESOURCE_POOL_FULL' });
    this.maxWaiting = maxWaiting;
  }
}

/** The pool gives out nothing more. */
export class ResourcePoolStoppedError extends PawlError {
  declare readonly code: 'RESOURCE_POOL_STOPPED';

  constructor() {
    super('The resource pool was stopped.', { code: 'RESOURCE_POOL_STOPPED' });
  }
}

/** A lease was given back twice: somebody else may hold the resource by now. */
export class LeaseReleasedError extends PawlError {
  declare readonly code: 'LEASE_RELEASED';
  readonly leaseId: string;

  constructor(leaseId: string) {
    super(`${leaseId} was released already.`, { code: 'LEASE_RELEASED' });
    this.leaseId = leaseId;
  }
}
