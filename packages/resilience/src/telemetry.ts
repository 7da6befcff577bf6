import { channel, hasSubscribers } from 'node:diagnostics_channel';
import { createEmitter, type Emitter, type Logger } from '@pawl/core';
import type { ResilienceEvents } from './events.ts';

/** The `diagnostics_channel` on which an event is published. */
export type ChannelName = `pawl:${keyof ResilienceEvents}`;

/** What a channel carries: the event's own fields, and which policy it came from. */
export type ChannelMessage<Name extends keyof ResilienceEvents> = ResilienceEvents[Name] & {
  /** The `name` of the policy or coordinator. */
  readonly source: string;
};

const EVENTS = {
  'retry:scheduled': true,
  'retry:gave-up': true,
  'breaker:opened': true,
  'breaker:half-opened': true,
  'breaker:closed': true,
  'breaker:isolated': true,
  'breaker:released': true,
  'breaker:rejected': true,
  'timeout:elapsed': true,
  'bulkhead:queued': true,
  'bulkhead:rejected': true,
  'rate-limiter:queued': true,
  'rate-limiter:rejected': true,
  'hedge:started': true,
  'hedge:refused': true,
  'hedge:won': true,
  'fallback:used': true,
  'shutdown:began': true,
  'shutdown:escalated': true,
  'shutdown:ended': true,
  'hook:started': true,
  'hook:ended': true,
} as const satisfies Record<keyof ResilienceEvents, true>;

/**
 * Every channel this package publishes on, to subscribe to all of them:
 * `for (const name of resilienceChannels) subscribe(name, record)`. A channel without subscribers costs nothing.
 * What a subscriber throws reaches no call: Node raises it as an uncaught exception.
 */
export const resilienceChannels: readonly ChannelName[] = Object.freeze(
  (Object.keys(EVENTS) as (keyof ResilienceEvents)[]).map((event) => `pawl:${event}` as const),
);

/**
 * An emitter whose events are published on their channels too. What listeners need is made when there is one, as some
 * policies are made for a single call.
 * @param source names the policy in what is published
 */
export function createPolicyEmitter<Events extends Partial<ResilienceEvents>>(
  source: string,
  logger: Logger,
): Emitter<Events> {
  let emitter: Emitter<Events> | undefined;
  const listening = (): Emitter<Events> => (emitter ??= createEmitter<Events>({ logger }));
  return {
    on: (name, listener) => listening().on(name, listener),
    onAny: (listener) => listening().onAny(listener),
    emit(name, payload) {
      emitter?.emit(name, payload);
      const channelName = `pawl:${name}`;
      if (hasSubscribers(channelName)) channel(channelName).publish({ source, ...payload });
    },
    listenerCount: (name) => (emitter?.listenerCount(name) ?? 0) + (hasSubscribers(`pawl:${name}`) ? 1 : 0),
  };
}
