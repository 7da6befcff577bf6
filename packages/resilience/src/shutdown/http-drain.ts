import type { Server } from 'node:net';
import {
  checkDurationMs,
  checkKnownKeys,
  checkSignal,
  type Clock,
  createDeferred,
  expectedMessage,
  onAbort,
  sleep,
  systemClock,
} from '@pawl/core';
import { HttpConnections } from './http-connections.ts';

export interface HttpDrainOptions {
  /**
   * How long the server goes on accepting connections and requests, in milliseconds. Behind a load balancer, give it
   * the time to notice that readiness is down, some seconds. @default 0
   */
  readonly settleMs?: number;
  /** How long running requests may take after that before their connections are cut, in milliseconds. @default 10_000 */
  readonly timeoutMs?: number;
  /** Cuts everything that is left at once: pass a hook's signal. */
  readonly signal?: AbortSignal | undefined;
  /** @default systemClock */
  readonly clock?: Clock;
}

export interface HttpDrainReport {
  /** Milliseconds. */
  readonly durationMs: number;
  /** Connections that were cut with a request running, or in use by an upgraded protocol. */
  readonly cut: number;
}

/** A connection without a request is closed when it has been silent for so long; a request may be on its way. */
const QUIET_MS = 50;

/**
 * Ends an HTTP server without cutting a request. From now on each response says `Connection: close`, and its
 * connection is closed right after it. When `settleMs` are over the server stops listening, and connections that
 * carry no request are closed: idle ones, half-sent requests, and upgraded ones that are silent. What is left after
 * `timeoutMs` is cut.
 *
 * Works for `node:http`, `node:https` and `node:http2`, whose sessions end after their running streams. Before Node 24
 * an encrypted HTTP/2 session that makes no request any more lasts until `timeoutMs`. Close WebSockets with their own
 * goodbye in an earlier hook.
 *
 * It does not use `server.close()` and `closeIdleConnections()` of Node while connections are open: they cut
 * responses whose end was written but not yet sent (seen on Node 20).
 * @returns once no connection is left; never rejects
 */
export async function drainHttpServer(
  server: Server,
  options: HttpDrainOptions = {},
): Promise<HttpDrainReport> {
  // Loaded when needed, so that importing the package stays cheap; whoever has a server has loaded it.
  const { Server: NetServer } = process.getBuiltinModule('node:net');
  if (!(server instanceof NetServer))
    throw new TypeError(expectedMessage('server', 'an HTTP server', server));
  checkKnownKeys('drainHttpServer', options, ['settleMs', 'timeoutMs', 'signal', 'clock']);
  const settleMs = checkDurationMs('settleMs', options.settleMs ?? 0);
  const timeoutMs = checkDurationMs('timeoutMs', options.timeoutMs ?? 10_000, { infinite: true });
  const { signal, clock = systemClock } = options;
  if (signal !== undefined) checkSignal('signal', signal);

  const startedAt = clock.now();
  const connections = new HttpConnections(server);
  if (settleMs > 0) await sleep(clock, settleMs, { signal }).catch(() => undefined);
  if (server.listening) NetServer.prototype.close.call(server);

  const over = createDeferred();
  const timer = clock.setTimer(timeoutMs, over.resolve);
  const unlink = onAbort(signal, () => over.resolve());
  const empty = connections.whenEmpty().then(() => true as const);
  const timedOut = over.promise.then(() => false as const);
  let drained = false;
  let ended: boolean | undefined;
  while (ended === undefined) {
    connections.closeQuiet();
    const tick = new AbortController();
    ended = await Promise.race([
      empty,
      timedOut,
      sleep(clock, QUIET_MS, { signal: tick.signal }).then(
        () => undefined,
        () => undefined,
      ),
    ]);
    tick.abort();
    drained = ended === true;
  }
  const cut = drained ? 0 : connections.cut();
  timer.cancel();
  unlink();
  await empty;
  connections.dispose();
  // Nothing is open any more; this takes away what Node's own close would have: the timer for slow requests.
  server.close(() => undefined);
  return { durationMs: clock.now() - startedAt, cut };
}
