import { hasCode, PawlError, sleep } from '@pawl/core';
import { createManualClock, type ManualClock } from '@pawl/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Lease } from '../src/patterns/resource-pool-lease.ts';
import { createResourcePool, type ResourcePool } from '../src/patterns/resource-pool.ts';

interface Connection {
  broken: boolean;
  destroyed: boolean;
}

interface Shape {
  readonly max: number;
  readonly maxUses: number;
  readonly idleTimeoutMs: number;
  readonly createMs: number;
  readonly destroyMs: number;
  /** Whether each of the first resources can't be made. */
  readonly createFails: readonly boolean[];
}

interface Caller {
  readonly since: number;
  readonly timeoutMs: number;
  readonly controller: AbortController;
  lease: Lease<Connection> | undefined;
  state: 'waiting' | 'holding' | 'over';
}

/** Connections that take time to make and to destroy, and how many of them there are. */
function makeConnections(shape: Shape, clock: ManualClock) {
  const failures = [...shape.createFails];
  const world = { alive: 0, destroyedTwice: 0 };
  const create = async (): Promise<Connection> => {
    world.alive += 1;
    if (shape.createMs > 0) await sleep(clock, shape.createMs);
    if (failures.shift() !== true) return { broken: false, destroyed: false };
    world.alive -= 1;
    throw new PawlError('refused', { code: 'REFUSED' });
  };
  const destroy = async (connection: Connection): Promise<void> => {
    if (connection.destroyed) world.destroyedTwice += 1;
    connection.destroyed = true;
    if (shape.destroyMs > 0) await sleep(clock, shape.destroyMs);
    world.alive -= 1;
  };
  return { world, create, destroy };
}

/** Callers of a pool, who note what should not happen to them. */
function makeCallers(pool: ResourcePool<Connection>, clock: ManualClock) {
  const callers: Caller[] = [];
  const problems: string[] = [];

  const call = (timeoutMs: number): void => {
    const controller = new AbortController();
    const caller: Caller = { since: clock.now(), timeoutMs, controller, lease: undefined, state: 'waiting' };
    callers.push(caller);
    pool.acquire({ timeoutMs, signal: controller.signal }).then(
      (lease) => {
        const { broken, destroyed } = lease.resource;
        if (callers.find(({ state }) => state === 'waiting') !== caller)
          problems.push('overtook another one');
        if (broken || destroyed) problems.push('got a dead resource');
        caller.lease = lease;
        caller.state = 'holding';
      },
      (error: unknown) => {
        const isTimeout = hasCode(error, 'ACQUIRE_TIMEOUT');
        if (isTimeout && clock.now() !== caller.since + timeoutMs)
          problems.push('waited too short or too long');
        caller.state = 'over';
      },
    );
  };
  const pick = (state: Caller['state'], at: number): Caller | undefined => {
    const some = callers.filter((caller) => caller.state === state);
    return some[at % Math.max(1, some.length)];
  };
  return { callers, problems, call, pick };
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('acquire' as const), value: fc.nat(60) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('release' as const), value: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('discard' as const), value: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort a holder' as const), value: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort a waiter' as const), value: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('break' as const), value: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), value: fc.nat(40) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const shape: fc.Arbitrary<Shape> = fc.record({
  max: fc.integer({ min: 1, max: 4 }),
  maxUses: fc.constantFrom(1, 3, Infinity),
  idleTimeoutMs: fc.constantFrom(25, Infinity),
  createMs: fc.constantFrom(0, 10),
  destroyMs: fc.constantFrom(0, 7),
  createFails: fc.array(fc.boolean(), { maxLength: 5 }),
});

function take({ call, pick }: ReturnType<typeof makeCallers>, { do: what, value }: Step): void {
  if (what === 'acquire') return call(value);
  if (what === 'advance') return undefined;
  const caller = pick(what === 'abort a waiter' ? 'waiting' : 'holding', value);
  if (caller === undefined) return undefined;
  if (what === 'break') {
    if (caller.lease !== undefined) caller.lease.resource.broken = true;
    return undefined;
  }
  caller.state = 'over';
  if (what === 'release' || what === 'discard') return caller.lease?.[what]();
  return caller.controller.abort(new Error('enough'));
}

describe('a resource pool, for any course of events', () => {
  it('keeps its bound, and nobody shares, is overtaken, or waits too long or for nothing', async () => {
    await fc.assert(
      fc.asyncProperty(shape, fc.array(step, { maxLength: 60 }), async (options, steps) => {
        const clock = createManualClock();
        const { world, create, destroy } = makeConnections(options, clock);
        const { max, maxUses, idleTimeoutMs } = options;
        const validate = ({ broken }: Connection): boolean => !broken;
        const pool = createResourcePool({ max, maxUses, idleTimeoutMs, create, destroy, validate, clock });
        const all = makeCallers(pool, clock);

        for (const next of steps) {
          take(all, next);
          await (next.do === 'advance' ? clock.advance(next.value) : clock.settle());
          expect(all.problems).toEqual([]);
          const held = all.callers.flatMap(({ state, lease }) =>
            state === 'holding' && lease !== undefined ? [lease.resource] : [],
          );
          expect(new Set(held).size).toBe(held.length);
          const { size, idle, leased, checking, creating, destroying, waiting } = pool.stats();
          expect(world.alive).toBeLessThanOrEqual(max);
          expect(size).toBe(world.alive);
          expect(leased).toBe(held.length);
          expect(idle + leased + checking + creating + destroying).toBe(size);
          // Who waits, waits because all there may be is in use or on its way.
          expect(waiting > 0 ? idle : 0).toBe(0);
          expect(waiting > creating + checking ? size : max).toBe(max);
        }

        const stopped = pool.stop({ graceMs: 0 });
        await clock.advance(10_000);
        await stopped;
        expect(world).toEqual({ alive: 0, destroyedTwice: 0 });
        expect(all.callers.filter(({ state }) => state === 'waiting')).toEqual([]);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
