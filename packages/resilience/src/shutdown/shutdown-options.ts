import {
  checkDurationMs,
  checkFunction,
  checkKnownKeys,
  checkString,
  type Clock,
  type EventSource,
  expectedMessage,
  type Logger,
  PawlError,
  silentLogger,
  systemClock,
} from '@pawl/core';
import type { ShutdownEvents, ShutdownUrgency } from '../events.ts';
import type { PolicySnapshot } from '../snapshot.ts';
import type { RegisterOptions, ShutdownHook } from './hook-registry.ts';
import type { ShutdownPlan, ShutdownReport } from './shutdown-report.ts';

/** `running → graceful → urgent → forced → stopped`; it may skip states, and enters none twice. */
export type ShutdownState = 'running' | ShutdownUrgency | 'stopped';

/** The reason of the coordinator's signals. */
export class ShutdownError extends PawlError {
  declare readonly code: 'SHUTDOWN';
  /** Work that a shutdown ended is not to be tried again here. */
  readonly retryable = false;
  readonly urgency: ShutdownUrgency;
  /** What `begin` was given. */
  readonly reason: unknown;

  constructor(urgency: ShutdownUrgency, reason: unknown) {
    super(`The process is shutting down (${urgency}).`, { code: 'SHUTDOWN' });
    this.urgency = urgency;
    this.reason = reason;
  }
}

export interface ShutdownOptions {
  /**
   * The names of the phases, in order. Tracked work is waited for at the end of the first.
   * @default ['drain', 'close', 'flush']
   */
  readonly phases?: readonly string[];
  /** How long hooks may take together before it becomes urgent, in milliseconds. @default 30_000 */
  readonly gracefulMs?: number;
  /** How long they may take from then on, in milliseconds. The hooks that are left share it evenly. @default 10_000 */
  readonly urgentMs?: number;
  /** How long all that is left may take when it is forced, in milliseconds. @default 500 */
  readonly forcedMs?: number;
  /** Names it in telemetry. @default 'shutdown' */
  readonly name?: string;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of hooks that fail. @default silentLogger */
  readonly logger?: Logger;
  /** Names what keeps the event loop alive, for the report. @default process.getActiveResourcesInfo */
  readonly activeResources?: () => readonly string[];
}

/** Where a shutdown stands. */
export interface ShutdownStats {
  readonly state: ShutdownState;
  /** Hooks that have not begun. */
  readonly waiting: number;
  /** Hooks under way. */
  readonly running: number;
  /** Tracked work that has not ended. */
  readonly tracked: number;
  /** Milliseconds since it began, or that it took; 0 before. */
  readonly durationMs: number;
}

export interface ShutdownCoordinator extends EventSource<ShutdownEvents> {
  /**
   * Adds a hook. Phases run in order; inside one, the hook registered last runs first, unless it must wait for the
   * hooks named in `after`. Hooks run one at a time. One that is registered during the shutdown still runs, if need
   * be after its phase.
   * @returns a function that takes the hook away, if it has not begun
   * @throws TypeError, RangeError for wrong options; a name that is taken; a name in `after` that was not registered
   * before or belongs to a later phase (so there can be no cycle). PawlError SHUTDOWN_OVER once it has stopped.
   */
  register(name: string, fn: ShutdownHook, options?: RegisterOptions): () => void;
  /** Makes the shutdown wait for work, between the first phase and the second. @returns the promise itself */
  track<P extends PromiseLike<unknown>>(promise: P, name?: string): P;
  /**
   * Begins the shutdown. Readiness is down and `signal` aborted when it returns. A second call joins the first.
   * @returns the report, once all is over; never rejects
   */
  begin(reason?: unknown): Promise<ShutdownReport>;
  /** Leaves what is left only `forcedMs`: all hooks that have not begun begin at once. Begins the shutdown if need be. */
  force(reason?: unknown): Promise<ShutdownReport>;
  /** Aborts when the shutdown begins: take nothing new. */
  readonly signal: AbortSignal;
  /** Aborts when the graceful time is over: running work should end now. */
  readonly urgentSignal: AbortSignal;
  readonly state: ShutdownState;
  /** Whether new work is welcome: until the shutdown begins. */
  readonly ready: boolean;
  /** Whether the process does what it should: until the shutdown is over. Killing it earlier would cut the drain. */
  readonly live: boolean;
  /** What has happened so far; undefined before it begins. */
  readonly report: ShutdownReport | undefined;
  /** Its numbers and its name, for a list of them. */
  snapshot(): PolicySnapshot<'shutdown', ShutdownStats>;
  /** What would happen now. */
  plan(): ShutdownPlan;
}

const KEYS: readonly (keyof ShutdownOptions)[] = [
  'phases',
  'gracefulMs',
  'urgentMs',
  'forcedMs',
  'name',
  'clock',
  'logger',
  'activeResources',
];

/** @throws TypeError, RangeError naming the option that is wrong or unknown */
export function resolveShutdownOptions(options: ShutdownOptions): Required<ShutdownOptions> {
  checkKnownKeys('createShutdown', options, KEYS);
  const { phases = ['drain', 'close', 'flush'] } = options;
  if (!Array.isArray(phases) || phases.length === 0 || new Set(phases).size !== phases.length) {
    throw new TypeError(expectedMessage('phases', 'an array of different names', phases));
  }
  return {
    phases: phases.map((phase, index) => checkString(`phases[${index}]`, phase)),
    gracefulMs: checkDurationMs('gracefulMs', options.gracefulMs ?? 30_000, { infinite: true }),
    urgentMs: checkDurationMs('urgentMs', options.urgentMs ?? 10_000),
    forcedMs: checkDurationMs('forcedMs', options.forcedMs ?? 500),
    name: checkString('name', options.name ?? 'shutdown'),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    activeResources: checkFunction(
      'activeResources',
      options.activeResources ?? (() => process.getActiveResourcesInfo()),
    ),
  };
}
