import { createDeferred } from './deferred.ts';
import { checkDurationMs } from './option-checks.ts';
import { PawlError } from './pawl-error.ts';

/** `idle → starting → running → draining → stopped`. A stop may skip states, none is ever entered twice. */
export type ServiceState = 'idle' | 'starting' | 'running' | 'draining' | 'stopped';

export interface StopOptions {
  /** How long running work may finish by itself, in milliseconds; `Infinity` waits for it. @default 5000 */
  readonly graceMs?: number;
}

export interface StopReport {
  /** Whether all work ended within the grace. */
  readonly drained: boolean;
  /** Names what was still running when the grace was over, and was ended by force. */
  readonly orphaned: readonly string[];
}

/** Anything with a life: it is started once and stopped once. */
export interface Service extends AsyncDisposable {
  readonly state: ServiceState;
  /** Resolves when it can be used. Starting twice joins the first start. @throws SERVICE_STOPPED after a stop */
  start(): Promise<void>;
  /**
   * Takes nothing new, lets running work finish for `graceMs`, then ends it. Never rejects because of a failed start.
   * A stop before the start, and a second stop, are fine; two stops share one promise.
   */
  stop(options?: StopOptions): Promise<StopReport>;
}

export const DEFAULT_GRACE_MS = 5_000;

const DRAINED: StopReport = Object.freeze({ drained: true, orphaned: Object.freeze([]) });

export interface LifecycleHooks {
  /** Names the service in errors. */
  readonly name: string;
  /** Acquires what the service needs. `signal` aborts when the service is stopped meanwhile. */
  start?(signal: AbortSignal): Promise<void> | void;
  /**
   * Releases it. Runs at most once: also after a start that failed half-way (with a grace of 0), never for a
   * service that was not started.
   */
  stop?(options: Required<StopOptions>): Promise<StopReport | void> | StopReport | void;
}

/** Keeps the rules of {@link Service} for a component that only has to say how it starts and stops. */
export function createLifecycle(hooks: LifecycleHooks): Service {
  const starting = new AbortController();
  let state: ServiceState = 'idle';
  let started: Promise<void> | undefined;
  let stopped: Promise<StopReport> | undefined;

  /** Sets `stopped` before anything runs that could call stop itself. */
  function settleStop(run: () => Promise<StopReport>): Promise<StopReport> {
    const attempt = createDeferred<StopReport>();
    stopped = attempt.promise;
    attempt.resolve(run());
    return stopped;
  }

  async function runRelease(graceMs: number): Promise<StopReport> {
    state = 'draining';
    try {
      return (await hooks.stop?.({ graceMs })) ?? DRAINED;
    } finally {
      state = 'stopped';
    }
  }

  async function runStart(): Promise<void> {
    state = 'starting';
    try {
      await hooks.start?.(starting.signal);
    } catch (error) {
      // A stop that waits for this start does the releasing itself.
      if (stopped === undefined) {
        await settleStop(() => runRelease(0)).catch(() => undefined);
      }
      throw error;
    }
    if (stopped === undefined) state = 'running';
    else throw stoppedError(hooks.name, 'while it started');
  }

  async function runStop(graceMs: number): Promise<StopReport> {
    if (started === undefined) {
      state = 'stopped';
      return DRAINED;
    }
    if (state === 'starting') starting.abort(stoppedError(hooks.name, 'while it started'));
    state = 'draining';
    await started.catch(() => undefined);
    return runRelease(graceMs);
  }

  const stop = (options: StopOptions = {}): Promise<StopReport> => {
    try {
      const graceMs = checkDurationMs('graceMs', options.graceMs ?? DEFAULT_GRACE_MS, { infinite: true });
      return stopped ?? settleStop(() => runStop(graceMs));
    } catch (error) {
      return Promise.reject(error);
    }
  };

  return {
    get state() {
      return state;
    },
    start() {
      if (started === undefined) {
        if (stopped !== undefined) return Promise.reject(stoppedError(hooks.name, 'before'));
        // Likewise set before the hook runs.
        const attempt = createDeferred();
        started = attempt.promise;
        attempt.resolve(runStart());
      } else if (state === 'draining' || state === 'stopped') {
        return started.then(() => Promise.reject(stoppedError(hooks.name, 'before')));
      }
      return started;
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

function stoppedError(name: string, when: string): PawlError {
  return new PawlError(`Can't start ${name}: it was stopped ${when}.`, { code: 'SERVICE_STOPPED' });
}

/**
 * Starts services one after another. If one fails, those already started are stopped in reverse order and the
 * failure is thrown; what a stop throws then is added to it as an AggregateError.
 */
export async function startAll(services: readonly Service[]): Promise<void> {
  const started: Service[] = [];
  for (const service of services) {
    try {
      await service.start();
      started.push(service);
    } catch (error) {
      const failures = await stopEach(started, { graceMs: 0 });
      if (failures.errors.length === 0) throw error;
      throw new AggregateError(
        [error, ...failures.errors],
        'A start failed, and so did stopping what had started.',
        { cause: error },
      );
    }
  }
}

/**
 * Stops services in reverse order, each one also when another fails, and merges their reports. `graceMs` counts for
 * each of them anew, since they stop one after another.
 * @throws AggregateError of what failed, after all were stopped
 */
export async function stopAll(services: readonly Service[], options: StopOptions = {}): Promise<StopReport> {
  const { errors, report } = await stopEach(services, options);
  if (errors.length > 0)
    throw new AggregateError(errors, `${errors.length} of ${services.length} services failed to stop.`);
  return report;
}

async function stopEach(
  services: readonly Service[],
  options: StopOptions,
): Promise<{ readonly errors: readonly unknown[]; readonly report: StopReport }> {
  const errors: unknown[] = [];
  const orphaned: string[] = [];
  let drained = true;
  for (const service of services.toReversed()) {
    try {
      const report = await service.stop(options);
      drained &&= report.drained;
      orphaned.push(...report.orphaned);
    } catch (error) {
      drained = false;
      errors.push(error);
    }
  }
  return { errors, report: { drained, orphaned } };
}
