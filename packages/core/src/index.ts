// Time and chance
export { type Clock, createSystemClock, sleep, type SleepOptions, systemClock } from './clock.ts';
export type { SystemTimers, Timer, TimerOptions } from './clock.ts';
export { type Random, seededRandom, systemRandom } from './random.ts';

// Life of a component
export {
  createLifecycle,
  DEFAULT_GRACE_MS,
  type LifecycleHooks,
  type Service,
  type ServiceState,
  startAll,
  stopAll,
  type StopOptions,
  type StopReport,
} from './service.ts';

// Events and log
export {
  type AnyListener,
  createEmitter,
  type Emitter,
  type EmitterOptions,
  type EventMap,
  type EventSource,
  type Listener,
} from './emitter.ts';
export { type Logger, type LogMethod, silentLogger } from './logger.ts';

// Errors and options
export { hasCode, PawlError, type PawlErrorOptions } from './pawl-error.ts';
export {
  type Bounds,
  checkAtMost,
  checkBelow,
  checkBoolean,
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkNumber,
  checkOneOf,
  checkSignal,
  checkString,
  expectedMessage,
  ownOptions,
  showValue,
} from './option-checks.ts';

// Promises and cancellation
export { type LinkedAbort, linkAbort, onAbort, untilAborted } from './abort.ts';
export { createDeferred, type Deferred } from './deferred.ts';
