import { type Clock, systemClock, type Timer } from '../clock.ts';
import type { EventMap, EventSource } from '../emitter.ts';
import { checkDurationMs, showValue } from '../option-checks.ts';

export interface EventMonitorOptions {
  /** How long `next` waits before it fails, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** Records what a component emits, so that a test waits for facts instead of sleeping. */
export interface EventMonitor<Events extends EventMap> extends Disposable {
  /** Every event since the monitor was made, oldest first. */
  readonly events: readonly { readonly name: keyof Events & string; readonly payload: unknown }[];
  /**
   * The payload of the oldest event of that name (and matching `matches`) that no earlier `next` returned: one that
   * was recorded already, or else the next to come. So no event can be missed between two waits.
   * @throws an Error that lists what was emitted instead, after `timeoutMs`, or what `matches` throws
   */
  next<Name extends keyof Events & string>(
    name: Name,
    matches?: (payload: Events[Name]) => boolean,
  ): Promise<Events[Name]>;
  /** How many events of that name were emitted. */
  count(name: keyof Events & string): number;
}

interface Waiter {
  offer(name: string, payload: unknown): boolean;
}

export function createEventMonitor<Events extends EventMap>(
  source: EventSource<Events>,
  options: EventMonitorOptions = {},
): EventMonitor<Events> {
  const timeoutMs = checkDurationMs('timeoutMs', options.timeoutMs ?? 5_000, { infinite: true });
  const clock = options.clock ?? systemClock;
  const events: { readonly name: keyof Events & string; readonly payload: unknown }[] = [];
  const taken = new Set<number>();
  const waiters = new Set<Waiter>();
  const timers = new Set<Timer>();

  const unsubscribe = source.onAny((name, payload) => {
    const index = events.push({ name, payload }) - 1;
    for (const waiter of waiters) {
      if (!waiter.offer(name, payload)) continue;
      taken.add(index);
      return;
    }
  });

  return {
    events,
    next(name, matches = () => true) {
      const index = events.findIndex(
        (event, at) => !taken.has(at) && event.name === name && matches(event.payload as Events[typeof name]),
      );
      const recorded = events[index];
      if (recorded !== undefined) {
        taken.add(index);
        return Promise.resolve(recorded.payload as Events[typeof name]);
      }
      return new Promise((resolve, reject) => {
        const timer = clock.setTimer(timeoutMs, () => {
          waiters.delete(waiter);
          timers.delete(timer);
          const seen = events.map((event) => `  ${event.name} ${showValue(event.payload)}`).join('\n');
          reject(
            new Error(
              `No "${name}" within ${timeoutMs} ms. Emitted so far:\n${seen === '' ? '  nothing' : seen}`,
            ),
          );
        });
        timers.add(timer);
        const waiter: Waiter = {
          offer(offered, payload) {
            if (offered !== name) return false;
            try {
              if (!matches(payload as Events[typeof name])) return false;
              resolve(payload as Events[typeof name]);
            } catch (error) {
              reject(error);
            }
            timer.cancel();
            timers.delete(timer);
            waiters.delete(waiter);
            return true;
          },
        };
        waiters.add(waiter);
      });
    },
    count: (name) => events.filter((event) => event.name === name).length,
    [Symbol.dispose]() {
      unsubscribe();
      for (const timer of timers) timer.cancel();
      waiters.clear();
    },
  };
}
