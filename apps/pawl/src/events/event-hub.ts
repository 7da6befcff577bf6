import { type Clock, createDeferred, PawlError, untilAborted } from '@pawl/core';

/** Something that happened in the service. */
export interface ServiceEvent {
  /** Rises by one with each event, and is higher after a restart of the service than ever before. */
  readonly sequence: number;
  readonly type: EventType;
  /** A JSON text. */
  readonly data: string;
}

/** `reset`: events were missed, look at everything again. */
export const EVENT_TYPES = ['run', 'schedule', 'stats', 'reset'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface SubscribeOptions {
  /** @default all */
  readonly types?: readonly EventType[] | undefined;
  /** The last event that was seen; what came after it is given first, if it is still kept. @default none, only new ones */
  readonly after?: number | undefined;
  /** Ends the subscription: it returns. */
  readonly signal: AbortSignal;
}

/** Hands what happens to whoever listens. A slow listener costs the others nothing. */
export interface EventHub {
  /** @param data anything JSON */
  publish(type: Exclude<EventType, 'reset'>, data: unknown): void;
  /** Events in order. One that can't keep up, or comes back too late, gets a `reset` in place of what it missed. */
  subscribe(options: SubscribeOptions): AsyncIterableIterator<ServiceEvent>;
  /** How many listen now. */
  readonly subscribers: number;
}

export interface EventHubOptions {
  readonly clock: Clock;
  /** Events that are kept for those who come back. @default 1000 */
  readonly keep?: number;
}

export function createEventHub({ clock, keep = 1_000 }: EventHubOptions): EventHub {
  const ring: ServiceEvent[] = [];
  // There is less than an event in a millisecond: who comes back after a restart has seen a lower one.
  let sequence = Math.floor(clock.wallTime());
  let subscribers = 0;
  let changed = createDeferred();

  /** Those after one, or undefined when some of them are gone. */
  function eventsAfter(after: number): readonly ServiceEvent[] | undefined {
    if (after === sequence) return [];
    const index = ring.length - (sequence - after);
    return after > sequence || index < 0 ? undefined : ring.slice(index);
  }

  async function* subscribe({ types, after, signal }: SubscribeOptions): AsyncGenerator<ServiceEvent> {
    let seen = after ?? sequence;
    subscribers += 1;
    try {
      while (!signal.aborted) {
        const { promise } = changed;
        const events = eventsAfter(seen);
        seen = sequence;
        if (events === undefined) yield { sequence, type: 'reset', data: '{}' };
        else for (const event of events) if (types?.includes(event.type) !== false) yield event;
        if (seen === sequence) await untilAborted(promise, signal).catch(() => undefined);
      }
    } finally {
      subscribers -= 1;
    }
  }

  return {
    publish(type, data) {
      const text = JSON.stringify(data);
      if (text === undefined)
        throw new PawlError(`An event of type ${type} is no JSON.`, { code: 'EVENT_INVALID' });
      sequence += 1;
      ring.push({ sequence, type, data: text });
      if (ring.length > keep) ring.shift();
      const { resolve } = changed;
      changed = createDeferred();
      resolve();
    },
    subscribe,
    get subscribers() {
      return subscribers;
    },
  };
}
