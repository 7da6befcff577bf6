import { type Clock, hasCode, type Timer } from '@pawl/core';
import type { Slot } from './worker-slot.ts';

export interface WorkerPulseOptions {
  readonly clock: Clock;
  /** How long a worker may be silent before it is asked, and may take to answer, in milliseconds; `Infinity` never asks. */
  readonly heartbeatMs: number;
  readonly slots: () => Iterable<Slot>;
  /** Whether those are asked each time that are heard of anyway: for their memory. All are asked for it once. */
  readonly askAll: boolean;
  /** What is known of a worker is as new as it will be in this round. */
  readonly onChecked: (slot: Slot) => void;
}

/**
 * Asks workers for a sign of life when they were silent for a heartbeat. One timer for all, which does not keep the
 * process running; the heartbeat of `@pawl/ipc` would be one for each, and hears of one connection of the two.
 * @returns a function that ends it
 */
export function startWorkerPulse(options: WorkerPulseOptions): () => void {
  const { clock, heartbeatMs } = options;
  let timer: Timer;

  async function ask(slot: Slot): Promise<void> {
    const { worker, health } = slot;
    const askedAt = clock.now();
    const cpuMs = worker.cpuMs();
    slot.awaitsPong = true;
    try {
      health.notePong(await worker.ping({ timeoutMs: heartbeatMs }), clock.now());
    } catch (error) {
      const now = clock.now();
      if (hasCode(error, 'REQUEST_TIMEOUT')) noteSilence(slot, askedAt, cpuMs);
      // An error response is an answer; the end of the connection is told by the end of the worker.
      else if (!worker.isLost) health.noteSign(now);
    }
    slot.awaitsPong = false;
    if (isWatched(slot)) options.onChecked(slot);
  }

  function noteSilence({ worker, health }: Slot, askedAt: number, cpuBefore: number | undefined): void {
    const now = clock.now();
    // When this process itself was held up, the answer may lie in the pipe unread: that proves nothing.
    if (now - askedAt > heartbeatMs * 1.5) return;
    const cpuMs = worker.cpuMs();
    // An interpreter that is inside of native code can't answer, however alive it is. A stopped one uses no CPU.
    if (cpuBefore !== undefined && cpuMs !== undefined && cpuMs > cpuBefore) health.noteSilentWork(now);
    else health.noteMissedPing();
  }

  /** One that only answers between its runs is not asked during one: its silence would prove nothing. */
  function isToBeAsked(slot: Slot, silentSince: number): boolean {
    if (slot.load > 0 && !slot.answersBesideRuns) return false;
    const { heardAt, rssBytes } = slot.health;
    return options.askAll || rssBytes === undefined || heardAt === undefined || heardAt <= silentSince;
  }

  function beat(): void {
    const silentSince = clock.now() - heartbeatMs;
    for (const slot of options.slots()) {
      if (!isWatched(slot) || slot.awaitsPong) continue;
      if (isToBeAsked(slot, silentSince)) void ask(slot);
      else options.onChecked(slot);
    }
    arm();
  }

  function arm(): void {
    timer = clock.setTimer(heartbeatMs, beat, { keepAlive: false });
  }

  arm();
  return () => timer.cancel();
}

function isWatched({ state }: Slot): boolean {
  return state === 'ready' || state === 'busy';
}
