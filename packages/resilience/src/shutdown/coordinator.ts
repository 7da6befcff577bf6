import { createDeferred, type Deferred, type Emitter, PawlError, type Timer } from '@pawl/core';
import type { ShutdownEvents, ShutdownUrgency } from '../events.ts';
import type { PolicySnapshot } from '../snapshot.ts';
import { createPolicyEmitter } from '../telemetry.ts';
import { HookRegistry, type RegisterOptions, type ShutdownHook } from './hook-registry.ts';
import { type HookRun, runHook } from './hook-run.ts';
import {
  resolveShutdownOptions,
  type ShutdownCoordinator,
  ShutdownError,
  type ShutdownOptions,
  type ShutdownState,
  type ShutdownStats,
} from './shutdown-options.ts';
import { describePlan, type ShutdownPlan, type ShutdownReport } from './shutdown-report.ts';

/** Makes the coordinator of an orderly end. It touches no signal itself: see `installSignalHandlers`. */
export function createShutdown(options: ShutdownOptions = {}): ShutdownCoordinator {
  return new Coordinator(resolveShutdownOptions(options));
}

class Coordinator implements ShutdownCoordinator {
  readonly #options: Required<ShutdownOptions>;
  readonly #events: Emitter<ShutdownEvents>;
  readonly #registry: HookRegistry;
  readonly #runs: HookRun[] = [];
  readonly #tracked = new Map<object, string>();
  readonly #began = new AbortController();
  readonly #hurried = new AbortController();
  readonly #urgent = createDeferred();
  readonly #forced = createDeferred();
  readonly #over = createDeferred();
  #state: ShutdownState = 'running';
  #isOver = false;
  #urgency: ShutdownUrgency = 'graceful';
  #reason: unknown;
  #startedAt = 0;
  #nextStageAt = 0;
  #stageTimer: Timer | undefined;
  /** Resolves when no tracked work is left. */
  #idle: Deferred<void> | undefined;
  #waitedForTracked = false;
  #finished: Promise<ShutdownReport> | undefined;
  #final: ShutdownReport | undefined;

  constructor(options: Required<ShutdownOptions>) {
    this.#options = options;
    this.#events = createPolicyEmitter(options.name, options.logger);
    this.#registry = new HookRegistry(options.phases);
  }

  readonly on: ShutdownCoordinator['on'] = (name, listener) => this.#events.on(name, listener);
  readonly onAny: ShutdownCoordinator['onAny'] = (listener) => this.#events.onAny(listener);

  get signal(): AbortSignal {
    return this.#began.signal;
  }

  get urgentSignal(): AbortSignal {
    return this.#hurried.signal;
  }

  get state(): ShutdownState {
    return this.#state;
  }

  get ready(): boolean {
    return this.#state === 'running';
  }

  get live(): boolean {
    return this.#state !== 'stopped';
  }

  get report(): ShutdownReport | undefined {
    return this.#state === 'running' ? undefined : (this.#final ?? this.#currentReport());
  }

  register(name: string, fn: ShutdownHook, options: RegisterOptions = {}): () => void {
    if (this.#state === 'stopped') {
      throw new PawlError(`Shutdown hook "${name}" came too late: the shutdown is over.`, {
        code: 'SHUTDOWN_OVER',
      });
    }
    const hook = this.#registry.add(name, fn, options);
    return () => this.#registry.remove(hook);
  }

  track<P extends PromiseLike<unknown>>(promise: P, name = 'work'): P {
    const key = {};
    this.#tracked.set(key, name);
    const end = (): void => {
      this.#tracked.delete(key);
      if (this.#tracked.size > 0) return;
      this.#idle?.resolve();
      this.#idle = undefined;
    };
    promise.then(end, end);
    return promise;
  }

  begin(reason?: unknown): Promise<ShutdownReport> {
    if (this.#finished === undefined) {
      // Known before anything runs, as a listener or a hook may begin it once more.
      const finished = createDeferred<ShutdownReport>();
      this.#finished = finished.promise;
      void this.#run(reason).then(finished.resolve, finished.reject);
    }
    return this.#finished;
  }

  force(reason?: unknown): Promise<ShutdownReport> {
    const finished = this.begin(reason);
    this.#escalate('forced');
    return finished;
  }

  snapshot(): PolicySnapshot<'shutdown', ShutdownStats> {
    const { name, clock } = this.#options;
    const running = this.#runs.filter((run) => run.report().outcome === 'running');
    return {
      kind: 'shutdown',
      name,
      state: this.#state,
      waiting: this.#registry.size,
      running: running.length,
      tracked: this.#tracked.size,
      durationMs: this.#final?.durationMs ?? (this.#state === 'running' ? 0 : clock.now() - this.#startedAt),
    };
  }

  plan(): ShutdownPlan {
    return describePlan(this.#options.phases, this.#registry.inOrder(), {
      gracefulMs: this.#options.gracefulMs,
      urgentMs: this.#options.urgentMs,
      forcedMs: this.#options.forcedMs,
    });
  }

  async #run(reason: unknown): Promise<ShutdownReport> {
    this.#reason = reason;
    this.#startedAt = this.#options.clock.now();
    this.#state = 'graceful';
    this.#stage(this.#options.gracefulMs, () => this.#escalate('urgent'));
    this.#began.abort(new ShutdownError('graceful', reason));
    this.#events.emit('shutdown:began', { reason });
    do {
      await this.#runHooks();
      await Promise.race([this.#allEnded(), this.#over.promise]);
      // A hook may have registered another one meanwhile.
    } while (this.#registry.size > 0 && !this.#isOver);
    this.#stageTimer?.cancel();
    this.#final = this.#currentReport();
    this.#state = 'stopped';
    const { clean, durationMs } = this.#final;
    this.#events.emit('shutdown:ended', { clean, durationMs });
    return this.#final;
  }

  /** Runs the hooks that wait, one after the other; all that are left at once when it is forced. */
  async #runHooks(): Promise<void> {
    for (let hook = this.#registry.peek(); ; hook = this.#registry.peek()) {
      const firstPhaseIsOver = hook?.phase !== this.#options.phases[0];
      if (firstPhaseIsOver && !this.#waitedForTracked && this.#state !== 'forced') {
        this.#waitedForTracked = true;
        if (this.#tracked.size > 0) await this.#giveTime(this.#trackedEnded());
        continue;
      }
      if (hook === undefined) return;
      this.#registry.take(hook);
      const run = this.#start(hook);
      if (this.#state !== 'forced') await this.#giveTime(run.ended);
    }
  }

  #start(hook: Parameters<typeof runHook>[0]): HookRun {
    const { clock, logger } = this.#options;
    const { name, phase } = hook;
    this.#events.emit('hook:started', { name, phase });
    const context = {
      reason: this.#reason,
      urgency: () => this.#urgency,
      remainingMs: () => Math.max(0, this.#nextStageAt - clock.now()),
    };
    const run = runHook(hook, context, clock, (report) => {
      if (report.outcome !== 'succeeded') {
        logger.error({ err: report.error, hook: name, phase }, `Shutdown hook "${name}" ${report.outcome}.`);
      }
      this.#events.emit('hook:ended', report);
    });
    if (this.#hurried.signal.aborted) run.hurry(this.#hurried.signal.reason);
    this.#runs.push(run);
    return run;
  }

  /** Waits for `work`: while it is graceful without a limit, when it is urgent for a fair share of what is left. */
  async #giveTime(work: Promise<void>): Promise<void> {
    await Promise.race([work, this.#urgent.promise]);
    if (this.#state !== 'urgent') return;
    const shareMs = (this.#nextStageAt - this.#options.clock.now()) / (this.#registry.size + 1);
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(shareMs, resolve);
      const end = (): void => {
        timer.cancel();
        resolve();
      };
      void Promise.race([work, this.#forced.promise]).then(end);
    });
  }

  #stage(durationMs: number, next: () => void): void {
    this.#stageTimer?.cancel();
    this.#nextStageAt = this.#options.clock.now() + durationMs;
    this.#stageTimer = this.#options.clock.setTimer(durationMs, next);
  }

  #escalate(urgency: 'urgent' | 'forced'): void {
    if (this.#state === 'stopped' || this.#state === 'forced' || this.#state === urgency) return;
    this.#state = urgency;
    this.#urgency = urgency;
    if (urgency === 'urgent') this.#stage(this.#options.urgentMs, () => this.#escalate('forced'));
    else this.#stage(this.#options.forcedMs, () => this.#end());
    const reason = new ShutdownError(urgency, this.#reason);
    this.#hurried.abort(reason);
    for (const run of this.#runs) run.hurry(reason);
    this.#events.emit('shutdown:escalated', { urgency });
    this.#urgent.resolve();
    if (urgency === 'forced') this.#forced.resolve();
  }

  #end(): void {
    this.#isOver = true;
    this.#over.resolve();
  }

  async #allEnded(): Promise<void> {
    await Promise.all(this.#runs.map(({ ended }) => ended));
    await this.#trackedEnded();
  }

  #trackedEnded(): Promise<void> {
    if (this.#tracked.size === 0) return Promise.resolve();
    this.#idle ??= createDeferred();
    return this.#idle.promise;
  }

  #currentReport(): ShutdownReport {
    const over = this.#isOver;
    const hooks = this.#runs.map((run) => {
      const report = run.report();
      return over && report.outcome === 'running' ? ({ ...report, outcome: 'abandoned' } as const) : report;
    });
    const pending = [...this.#tracked.values()];
    return {
      reason: this.#reason,
      durationMs: this.#options.clock.now() - this.#startedAt,
      urgency: this.#urgency,
      clean: pending.length === 0 && hooks.every(({ outcome }) => outcome === 'succeeded'),
      hooks,
      pending,
      activeResources: this.#options.activeResources(),
    };
  }
}
