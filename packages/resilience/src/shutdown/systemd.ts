import {
  checkKnownKeys,
  checkString,
  type Clock,
  expectedMessage,
  type Logger,
  PawlError,
  silentLogger,
  systemClock,
  type Timer,
} from '@pawl/core';
import type { ShutdownCoordinator } from './shutdown-options.ts';

export interface SystemdOptions {
  /** Where `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are looked up: pass `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The program that sends, looked up in `PATH` unless it is a path. @default 'systemd-notify' */
  readonly command?: string;
  /** Times the watchdog's signs of life. @default systemClock */
  readonly clock?: Clock;
  /** Told of messages that could not be sent. @default silentLogger */
  readonly logger?: Logger;
}

export interface SystemdNotifier extends Disposable {
  /** Whether systemd wants to be told: `NOTIFY_SOCKET` is set. */
  readonly active: boolean;
  /**
   * Says that the service is up (`READY=1`), and from then on gives signs of life if the unit has a watchdog. Later
   * calls join the first.
   * @throws PawlError SYSTEMD_NOTIFY_FAILED
   */
  ready(): Promise<void>;
  /** Shows a line in `systemctl status` (`STATUS=…`). @throws PawlError SYSTEMD_NOTIFY_FAILED */
  status(text: string): Promise<void>;
}

/** How long one message may take: systemd-notify itself waits 5 s for systemd. */
const SEND_TIMEOUT_MS = 10_000;

/**
 * Tells systemd how a service with `Type=notify` stands: `READY=1` when you say so, `STOPPING=1` once when the shutdown
 * begins, and `WATCHDOG=1` twice per `WatchdogSec`, which stops when the event loop is blocked. Without
 * `NOTIFY_SOCKET` it does nothing. Protocol: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
 *
 * Node has no datagram sockets for Unix paths, so each message is sent by a `systemd-notify` process. As that is not
 * the main process of the service, the unit needs `NotifyAccess=all`.
 */
export function notifySystemd(shutdown: ShutdownCoordinator, options: SystemdOptions): SystemdNotifier {
  checkKnownKeys('notifySystemd', options, ['env', 'command', 'clock', 'logger']);
  const { env, clock = systemClock, logger = silentLogger } = options;
  if (typeof env !== 'object' || env === null) {
    throw new TypeError(expectedMessage('env', 'an object such as process.env', env));
  }
  const command = checkString('command', options.command ?? 'systemd-notify');
  const active = (env['NOTIFY_SOCKET'] ?? '') !== '';
  const send = (message: string): Promise<void> =>
    active ? sendBy(command, env, message) : Promise.resolve();
  const sendOrLog = (message: string): Promise<void> =>
    send(message).catch((error: unknown) => logger.error({ err: error }, `Could not send ${message}.`));

  let ready: Promise<void> | undefined;
  let watchdog: Timer | undefined;
  let isOver = false;

  const watch = (everyMs: number): void => {
    watchdog = clock.setTimer(
      everyMs,
      () => {
        if (isOver) return;
        // The next is timed from now, so that a slow send makes no gap.
        watch(everyMs);
        void sendOrLog('WATCHDOG=1');
      },
      { keepAlive: false },
    );
  };
  const stop = (): void => {
    isOver = true;
    watchdog?.cancel();
    for (const unsubscribe of subscriptions) unsubscribe();
  };
  const subscriptions = [
    shutdown.on('shutdown:began', () => void shutdown.track(sendOrLog('STOPPING=1'), 'STOPPING=1')),
    shutdown.on('shutdown:ended', stop),
  ];

  return {
    active,
    ready() {
      ready ??= send('READY=1').then(() => {
        const everyMs = watchdogMs(env);
        if (active && everyMs !== undefined && !isOver) watch(everyMs);
      });
      return ready;
    },
    status: (text) => send(`STATUS=${text.replaceAll('\n', ' ')}`),
    [Symbol.dispose]: stop,
  };
}

/** Half the time within which systemd wants a sign of life from this process, in milliseconds. */
function watchdogMs(env: SystemdOptions['env']): number | undefined {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env;
  if (pid !== undefined && Number(pid) !== process.pid) return undefined;
  const us = Number(usec);
  return us > 0 && us !== Infinity ? us / 1_000 / 2 : undefined;
}

function sendBy(command: string, env: SystemdOptions['env'], message: string): Promise<void> {
  // Loaded when needed: most processes are not told by systemd to tell it anything.
  const { execFile } = process.getBuiltinModule('node:child_process');
  return new Promise((resolve, reject) => {
    execFile(command, [message], { env: { ...env }, timeout: SEND_TIMEOUT_MS }, (error, _output, errors) => {
      if (error === null) {
        resolve();
        return;
      }
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const why = isMissing ? `there is no program ${command}` : errors.trim() || error.message;
      reject(
        new PawlError(`Could not tell systemd ${message}: ${why}.`, {
          code: 'SYSTEMD_NOTIFY_FAILED',
          cause: error,
        }),
      );
    });
  });
}
