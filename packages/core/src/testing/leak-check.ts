import { createHook } from 'node:async_hooks';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers';
import { sleep, systemClock } from '../clock.ts';
import { checkDurationMs } from '../option-checks.ts';

export interface LeakCheckOptions {
  /** How long what was closed may take to go away, in milliseconds. @default 1000 */
  readonly settleMs?: number;
}

export interface LeakCheck {
  /**
   * Compares with the moment the check was made; call it at the end. Once it has passed it no longer watches timers.
   * @throws an Error that names each child process, timer, handle, descriptor or process listener that was added
   * and is still there after `settleMs`
   */
  assertNoLeak(): Promise<void>;
}

/**
 * Remembers what this process holds now, to find what a test leaves behind: timers and handles that keep it alive,
 * listeners on `process`, and (on Linux) child processes and open descriptors.
 */
export function createLeakCheck(options: LeakCheckOptions = {}): LeakCheck {
  const settleMs = checkDurationMs('settleMs', options.settleMs ?? 1_000);
  const timers = watchTimers();
  const before = holdings();
  return {
    async assertNoLeak() {
      const deadline = systemClock.now() + settleMs;
      for (;;) {
        await new Promise((resolve) => void nextTurn(resolve));
        const added = additions(before, holdings());
        const pending = timers.pending();
        if (pending > 0) added.unshift(pending === 1 ? 'timer' : `${pending} × timer`);
        if (added.length === 0) {
          timers.stop();
          return;
        }
        if (systemClock.now() >= deadline) throw new Error(`Left behind: ${added.join(', ')}.`);
        await sleep(systemClock, 20);
      }
    },
  };
}

/**
 * Sees every timer that is set from now on. Counting them before and after would not do: one that was pending before
 * and fired meanwhile would hide one that is left.
 */
function watchTimers(): { readonly pending: () => number; readonly stop: () => void } {
  const timers = new Map<number, NodeJS.Timeout>();
  const hook = createHook({
    init: (id, type, _trigger, resource) => {
      if (type === 'Timeout') timers.set(id, resource as NodeJS.Timeout);
    },
    // Comes a turn of the event loop after the timer fired or was cleared.
    destroy: (id) => void timers.delete(id),
  }).enable();
  return {
    pending: () => [...timers.values()].filter((timer) => timer.hasRef()).length,
    stop: () => void hook.disable(),
  };
}

/** What is held, besides timers → how many of it. */
type Holdings = ReadonlyMap<string, number>;

function holdings(): Holdings {
  const counts = new Map<string, number>();
  const add = (name: string, count = 1): void => void counts.set(name, (counts.get(name) ?? 0) + count);
  for (const resource of process.getActiveResourcesInfo()) {
    if (resource !== 'Timeout') add(`handle ${resource}`);
  }
  for (const event of process.eventNames())
    add(`process listener ${String(event)}`, process.listenerCount(event));
  for (const child of childProcesses()) add(`child process ${child}`);
  const descriptors = openDescriptors();
  if (descriptors > 0) add('open descriptor', descriptors);
  return counts;
}

function additions(before: Holdings, after: Holdings): string[] {
  const added: string[] = [];
  for (const [name, count] of after) {
    const more = count - (before.get(name) ?? 0);
    if (more > 0) added.push(more === 1 ? name : `${more} × ${name}`);
  }
  return added;
}

/** Living children of this process as `pid command`; a zombie is dead and does not count. */
function childProcesses(): readonly string[] {
  const children: string[] = [];
  for (const pid of listing('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (!status.includes(`\nPPid:\t${process.pid}\n`) || /\nState:\tZ/.test(status)) continue;
      children.push(`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()}`);
    } catch {
      // It ended while we looked.
    }
  }
  return children;
}

function openDescriptors(): number {
  return listing('/proc/self/fd').filter((fd) => {
    try {
      // The listing itself holds /proc/self/fd open for a moment.
      return !readlinkSync(`/proc/self/fd/${fd}`).startsWith('/proc/');
    } catch {
      return false;
    }
  }).length;
}

function listing(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
