import {
  createDeferred,
  createEmitter,
  createLifecycle,
  type Deferred,
  type EventSource,
  PawlError,
  type Service,
  sleep,
  type StopReport,
  untilAborted,
} from '@pawl/core';
import type { CrashLoopError } from '../process/pool-errors.ts';
import { createProcessManager } from '../process/process-manager.ts';
import { createRestartPolicy } from '../process/restart-policy.ts';
import { resolveChildSpecs } from './child-spec.ts';
import { startProcessChild } from './process-child.ts';
import {
  asError,
  childError,
  type ChildStatus,
  createSupervisedChild,
  type SupervisedChild,
} from './supervised-child.ts';
import type { SupervisorEvents } from './supervisor-events.ts';
import { resolveSupervisorOptions, type SupervisorOptions } from './supervisor-options.ts';

/** Keeps children running: starts them in order, starts again what fails, stops them in reverse. */
export interface Supervisor extends Service, EventSource<SupervisorEvents> {
  children(): readonly ChildStatus[];
  /** Why nothing is started now, while a crash loop is open. */
  readonly crashLoop: CrashLoopError | undefined;
  /**
   * Resolves when it was stopped; rejects with the CrashLoopError when it gave up (`afterCrashLoop: 'stop'`). With
   * `stop` it makes a supervisor a child of another.
   */
  readonly exited: Promise<void>;
}

/**
 * Makes a supervisor. Its `start` resolves when all children run; when one fails to start, those before it are stopped
 * in reverse and the failure is thrown as a PawlError `CHILD_START_FAILED`.
 * @throws TypeError, RangeError for wrong options
 */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const resolved = resolveSupervisorOptions(options);
  const { strategy, clock, logger } = resolved;
  const emitter = createEmitter<SupervisorEvents>({ logger });
  const manager = createProcessManager({ clock });
  const exited = createDeferred();
  // A supervisor need not be a child of anything.
  exited.promise.catch(() => undefined);
  const stopping = new AbortController();
  const policy = createRestartPolicy({
    ...resolved,
    who: { failing: 'Children', starting: 'the supervisor' },
    onCrashLoop: (error, failures) => {
      emitter.emit('supervisor:crash-loop', { failures, retryAfterMs: error.retryAfterMs, error });
    },
  });
  const children = resolveChildSpecs(resolved.children, (config) => startProcessChild(manager, config)).map(
    (spec) => createSupervisedChild(spec, { ...resolved, onStarted, onExit, onHealthy }),
  );
  /** Restarts under way: one for each failed child, or one for all where they hang together. */
  const recoveries = new Map<SupervisedChild | undefined, Promise<void>>();
  /** The one child that is tried after a crash loop, and what its fate resolves. */
  let probe: { readonly child: SupervisedChild; readonly over: Deferred<void> } | undefined;
  let gaveUp: CrashLoopError | undefined;
  const begun = createDeferred();

  const lifecycle = createLifecycle({
    name: 'the supervisor',
    start: startChildren,
    async stop({ graceMs }) {
      stopping.abort(new PawlError('The supervisor was stopped.', { code: 'SERVICE_STOPPED' }));
      await Promise.all(recoveries.values());
      const report = await stopChildren(children, graceMs, 'supervisor-stopped');
      await manager.stop({ graceMs: 0 });
      if (gaveUp === undefined) exited.resolve();
      else exited.reject(gaveUp);
      return report;
    },
  });

  function onStarted(child: SupervisedChild): void {
    emitter.emit('child:started', { childId: child.spec.id, starts: child.status.starts });
  }

  function onExit(child: SupervisedChild, error: Error | undefined): void {
    const { id, restart } = child.spec;
    const fault = error ?? childError(id, 'ended by itself, and is to run for good');
    const restarts = restart === 'permanent' || (restart === 'transient' && error !== undefined);
    emitter.emit('child:exited', { childId: id, restarts, ...(error === undefined ? {} : { error }) });
    if (restarts) noteFailure(child, fault);
    // It has come to its end without an answer: another is tried.
    else if (probe?.child === child) endProbe();
  }

  function onHealthy(child: SupervisedChild): void {
    if (probe?.child !== child) return;
    policy.noteReady();
    emitter.emit('supervisor:recovered', { childId: child.spec.id });
    endProbe();
  }

  function endProbe(): void {
    probe?.over.resolve();
    probe = undefined;
  }

  function noteFailure(child: SupervisedChild, error: Error): void {
    child.fail(error);
    // How it started says nothing of how it will end, so only time forgets a failure.
    policy.noteFailure('idle', policy.generation, error);
    // While a loop is probed, the failure of anyone is an answer.
    endProbe();
    if (policy.isBlocked && resolved.afterCrashLoop === 'stop') giveUp();
    else beginRecovery(child);
  }

  function giveUp(): void {
    gaveUp ??= policy.crashLoop;
    lifecycle.stop().catch((error: unknown) => {
      logger.error({ err: error }, 'A supervisor that gave up failed to stop.');
    });
  }

  function beginRecovery(child: SupervisedChild): void {
    const key = strategy === 'one-for-one' ? child : undefined;
    if (stopping.signal.aborted || recoveries.has(key)) return;
    const recovery = recover(key)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) logger.error({ err: error }, 'A restart failed.');
      })
      .finally(() => recoveries.delete(key));
    recoveries.set(key, recovery);
  }

  /** Restarts until nobody of its scope is failed. Ends when the supervisor stops. */
  async function recover(only: SupervisedChild | undefined): Promise<void> {
    // A child that fails while its younger siblings are started for the first time waits for that.
    await untilAborted(begun.promise, stopping.signal);
    for (;;) {
      const failed = only ?? children.find(({ state }) => state === 'failed');
      if (failed?.state !== 'failed') return;
      const group = groupOf(failed);
      await stopChildren(group, Infinity, 'sibling-failed');
      if (!(await untilDue(failed))) continue;
      for (const child of group) {
        // One that failed meanwhile begins a round of its own.
        if (group.some(({ state }) => state === 'failed')) break;
        if (child.state === 'waiting') await startAgain(child);
      }
    }
  }

  /** Who is started again with a child that failed. */
  function groupOf(failed: SupervisedChild): readonly SupervisedChild[] {
    if (strategy === 'one-for-one') return [failed];
    const from = strategy === 'one-for-all' ? 0 : children.indexOf(failed);
    return children.slice(from);
  }

  async function startAgain(child: SupervisedChild): Promise<void> {
    try {
      await child.start(stopping.signal);
    } catch (error) {
      stopping.signal.throwIfAborted();
      emitter.emit('child:start-failed', { childId: child.spec.id, error: asError(error) });
      noteFailure(child, asError(error));
    }
  }

  /**
   * Waits for the backoff of a child, for the end of a crash loop, and for its turn to be the probe.
   * @returns whether its group is still the one to be started: an elder child that failed meanwhile has a larger one
   */
  async function untilDue(child: SupervisedChild): Promise<boolean> {
    for (let first = true; first || policy.isBlocked; first = false) {
      const delayMs = policy.delayMs(child.failuresInRow);
      emitter.emit('child:restarting', { childId: child.spec.id, delayMs });
      await sleep(clock, delayMs, { signal: stopping.signal });
      for (let current = probe; current !== undefined; current = probe) {
        await untilAborted(current.over.promise, stopping.signal);
      }
    }
    if (strategy !== 'one-for-one' && children.some(({ state }) => state === 'failed')) return false;
    if (policy.onProbation) probe = { child, over: createDeferred() };
    return true;
  }

  async function startChildren(signal: AbortSignal): Promise<void> {
    for (const child of children) {
      try {
        await child.start(signal);
      } catch (error) {
        await stopChildren(children, Infinity, 'start-failed');
        throw new PawlError(`Child ${child.spec.id} did not start: ${asError(error).message}`, {
          code: 'CHILD_START_FAILED',
          cause: error,
        });
      }
    }
    begun.resolve();
  }

  /** One after another, the last started first. */
  async function stopChildren(
    some: readonly SupervisedChild[],
    graceMs: number,
    reason: SupervisorEvents['child:stopped']['reason'],
  ): Promise<StopReport> {
    const orphaned: string[] = [];
    for (const child of some.toReversed()) {
      const ran = child.state === 'running';
      const forced = await child.stop(graceMs, reason === 'sibling-failed' ? 'waiting' : 'stopped');
      if (forced) orphaned.push(child.spec.id);
      if (ran) emitter.emit('child:stopped', { childId: child.spec.id, reason, forced });
    }
    return { drained: orphaned.length === 0, orphaned };
  }

  return {
    on: (name, listener) => emitter.on(name, listener),
    onAny: (listener) => emitter.onAny(listener),
    get state() {
      return lifecycle.state;
    },
    start: () => lifecycle.start(),
    stop: (how) => lifecycle.stop(how),
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),
    children: () => children.map(({ status }) => status),
    get crashLoop() {
      return policy.crashLoop;
    },
    exited: exited.promise,
  };
}
