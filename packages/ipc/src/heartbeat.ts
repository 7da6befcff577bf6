import { checkDurationMs, checkInteger, type Clock, systemClock, type Timer } from '@pawl/core';
import { ConnectionClosedError } from './ipc-errors.ts';

/** What a heartbeat needs of a connection; a `Connection` is one. */
export interface HeartbeatPeer {
  /** Called with `ping`. Any answer is a sign of life, an error response too. */
  request(method: string): Promise<unknown>;
  /** How many frames have come from the far side so far. A counter costs the hot path nothing, a time would. */
  readonly framesReceived: number;
}

/** None of the callbacks may throw. */
export interface HeartbeatOptions {
  /** How long the far side may be silent before it is pinged, and may take to answer, in milliseconds ≥ 1000; Infinity never pings. */
  readonly intervalMs: number;
  /** How many pings in a row may go unanswered. @default 3 */
  readonly missesAllowed?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** The result of a ping that was answered. */
  readonly onPong?: (result: unknown) => void;
  /** A ping was not answered within `intervalMs`; `missed` counts those in a row. */
  readonly onMissed?: (missed: number) => void;
  /** As many pings in a row as are allowed went unanswered. Called once; the heartbeat has stopped by then. */
  readonly onUnresponsive: (report: UnresponsiveReport) => void;
}

export interface UnresponsiveReport {
  readonly missed: number;
  /** For how long nothing came, in milliseconds, at least: it may be up to `intervalMs` more. */
  readonly silentMs: number;
}

export interface Heartbeat {
  /** Pings no more and calls nothing any more. Twice is fine. */
  stop(): void;
}

/**
 * Pings the far side when it has been silent for `intervalMs`. Any frame is a sign of life, so a busy connection is
 * never pinged. `missesAllowed` unanswered pings in a row, one each `intervalMs`, and it counts as unresponsive.
 * Ends by itself when the connection does.
 *
 * Silence is noticed at the first tick that saw no frame, so between one and two intervals after the last frame. There
 * is one timer, which does not keep the process alive.
 * @throws TypeError, RangeError
 */
export function startHeartbeat(peer: HeartbeatPeer, options: HeartbeatOptions): Heartbeat {
  const { clock = systemClock, onPong, onMissed, onUnresponsive } = options;
  const intervalMs = checkDurationMs('intervalMs', options.intervalMs, { min: 1_000, infinite: true });
  const missesAllowed = checkInteger('missesAllowed', options.missesAllowed ?? 3, { min: 1 });
  let stopped = false;
  let seen = peer.framesReceived;
  let seenAt = clock.now();
  let missed = 0;
  let awaitsPong = false;
  let due = 0;
  let timer: Timer | undefined;

  function arm(): void {
    timer?.cancel();
    due = clock.now() + intervalMs;
    timer = clock.setTimer(intervalMs, tick, { keepAlive: false });
  }

  function noteLife(): void {
    seen = peer.framesReceived;
    seenAt = clock.now();
    missed = 0;
    awaitsPong = false;
  }

  function tick(): void {
    const now = clock.now();
    // When this process itself was held up, the answer may lie in the pipe unread: that tick proves nothing.
    const isLate = now - due > intervalMs / 2;
    if (peer.framesReceived !== seen) noteLife();
    else if (!awaitsPong) ping();
    else if (!isLate) miss(now);
    if (!stopped) arm();
  }

  function miss(now: number): void {
    missed += 1;
    onMissed?.(missed);
    if (stopped) return;
    if (missed < missesAllowed) ping();
    else {
      stop();
      onUnresponsive({ missed, silentMs: now - seenAt });
    }
  }

  function ping(): void {
    awaitsPong = true;
    peer.request('ping').then(
      (result) => {
        answered();
        if (!stopped) onPong?.(result);
      },
      (error: unknown) => {
        if (error instanceof ConnectionClosedError) stop();
        else answered();
      },
    );
  }

  /** The next silence is counted from here: so an idle peer is pinged once an interval, not once in two. */
  function answered(): void {
    if (stopped) return;
    noteLife();
    arm();
  }

  function stop(): void {
    stopped = true;
    timer?.cancel();
  }

  arm();
  return { stop };
}
