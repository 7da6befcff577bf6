import { constants } from 'node:os';
import { inspect } from 'node:util';
import {
  checkBoolean,
  checkDurationMs,
  checkKnownKeys,
  checkOneOf,
  type Clock,
  expectedMessage,
  systemClock,
} from '@pawl/core';
import type { ShutdownCoordinator } from './shutdown-options.ts';
import { startWatchdog } from './watchdog.ts';

/** The part of `process` that is used here; pass your own in tests. */
export interface ProcessLike {
  readonly pid: number;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  removeListener(event: string, listener: (...args: unknown[]) => void): unknown;
  exit(code: number): void;
  readonly stderr: { write(text: string): unknown };
}

export interface SignalHandlerOptions {
  /** The signals that begin a shutdown. @default ['SIGTERM', 'SIGINT', 'SIGHUP'], on Windows SIGBREAK too */
  readonly signals?: readonly NodeJS.Signals[];
  /**
   * Whether an uncaught exception or unhandled rejection begins one too. It is printed to stderr as Node would do.
   * @default true
   */
  readonly onErrors?: boolean;
  /** The exit code after a clean shutdown: 0, or what the shell shows for the signal, as 143. @default 'zero' */
  readonly exitCode?: 'zero' | 'signal';
  /**
   * The same signal again within this time counts as the same one, in milliseconds: npm, docker and a terminal may
   * all forward it. @default 100
   */
  readonly debounceMs?: number;
  /**
   * Whether a thread kills the process (SIGKILL) when a hook blocks the event loop until after all budgets.
   * @default true
   */
  readonly watchdog?: boolean;
  /** @default process */
  readonly process?: ProcessLike;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** What an exit code says. */
const EXIT_CLEAN = 0;
const EXIT_FAILED = 1;
const SIGNAL_BASE = 128;

/** How long after all budgets the watchdog waits: the end itself takes a moment. */
const WATCHDOG_MARGIN_MS = 1_000;

/** Shutdowns under way per process, so that the first to end does not cut the others. */
const underWay = new WeakMap<ProcessLike, Map<object, number>>();

/**
 * Lets signals end the process: the first begins the shutdown, a second one forces it, a third exits at once. When
 * the shutdown is over (and that of every other coordinator installed on this process) the process exits with
 *
 * - `0` (or 128 + the signal's number, see `exitCode`) when every hook succeeded and no tracked work was left
 * - `1` when something failed or was left, when it was forced, and after an uncaught error
 * - by SIGKILL, which a shell shows as 137, when the event loop was blocked until after all budgets
 *
 * @returns a function that takes every handler away
 */
export function installSignalHandlers(
  shutdown: ShutdownCoordinator,
  options: SignalHandlerOptions = {},
): () => void {
  const { signals, onErrors, exitCode, debounceMs, watchdog, host, clock } = resolve(options);
  const listeners: [event: string, listener: (...args: unknown[]) => void][] = [];
  const running = underWay.get(host) ?? new Map<object, number>();
  underWay.set(host, running);
  const self = {};
  const lastAt = new Map<string, number>();
  let signalsSeen = 0;
  let worst = EXIT_CLEAN;
  let cleanCode = EXIT_CLEAN;

  const begin = (reason: unknown): void => {
    if (running.has(self)) return;
    running.set(self, Infinity);
    const { gracefulMs, urgentMs, forcedMs } = shutdown.plan();
    const stopWatchdog = watchdog
      ? startWatchdog(gracefulMs + urgentMs + forcedMs + WATCHDOG_MARGIN_MS, host.pid)
      : () => undefined;
    void shutdown.begin(reason).then(({ clean }) => {
      stopWatchdog();
      running.set(self, Math.max(worst, clean ? EXIT_CLEAN : EXIT_FAILED));
      const codes = [...running.values()];
      if (codes.includes(Infinity)) return;
      const code = Math.max(...codes);
      host.exit(code === EXIT_CLEAN ? cleanCode : code);
    });
  };

  const onSignal = (signal: NodeJS.Signals): void => {
    const now = clock.now();
    const isEcho = now - (lastAt.get(signal) ?? -Infinity) < debounceMs;
    lastAt.set(signal, now);
    if (isEcho) return;
    signalsSeen += 1;
    if (signalsSeen === 1) {
      if (exitCode === 'signal') cleanCode = SIGNAL_BASE + constants.signals[signal];
      begin(signal);
    } else if (signalsSeen === 2) {
      worst = EXIT_FAILED;
      void shutdown.force(signal);
    } else {
      host.exit(EXIT_FAILED);
    }
  };
  const onError = (error: unknown): void => {
    host.stderr.write(`${inspect(error)}\n`);
    worst = EXIT_FAILED;
    begin(error);
  };

  for (const signal of signals) listeners.push([signal, () => onSignal(signal)]);
  if (onErrors) listeners.push(['uncaughtException', onError], ['unhandledRejection', onError]);
  for (const [event, listener] of listeners) host.on(event, listener);
  return () => {
    running.delete(self);
    for (const [event, listener] of listeners) host.removeListener(event, listener);
  };
}

function resolve(options: SignalHandlerOptions) {
  const known = ['signals', 'onErrors', 'exitCode', 'debounceMs', 'watchdog', 'process', 'clock'];
  checkKnownKeys('installSignalHandlers', options, known);
  const host: ProcessLike = options.process ?? process;
  const onWindows = process.platform === 'win32' ? (['SIGBREAK'] as const) : [];
  const signals = options.signals ?? ['SIGTERM', 'SIGINT', 'SIGHUP', ...onWindows];
  if (!Array.isArray(signals)) throw new TypeError(expectedMessage('signals', 'an array', signals));
  const names = Object.keys(constants.signals) as NodeJS.Signals[];
  return {
    signals: signals.map((signal, index) => checkOneOf(`signals[${index}]`, signal, names)),
    onErrors: checkBoolean('onErrors', options.onErrors ?? true),
    exitCode: checkOneOf('exitCode', options.exitCode ?? 'zero', ['zero', 'signal']),
    debounceMs: checkDurationMs('debounceMs', options.debounceMs ?? 100),
    watchdog: checkBoolean('watchdog', options.watchdog ?? true),
    host,
    clock: options.clock ?? systemClock,
  };
}
