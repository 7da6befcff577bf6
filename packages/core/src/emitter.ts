import { type Logger, silentLogger } from './logger.ts';

/** A catalogue of events: name → payload. */
export type EventMap = object;

export type Listener<Payload> = (payload: Payload) => unknown;
export type AnyListener<Events extends EventMap> = <Name extends keyof Events & string>(
  name: Name,
  payload: Events[Name],
) => unknown;

/** The reading side of an emitter: what a component offers to its users. */
export interface EventSource<Events extends EventMap> {
  /** Calls `listener` for each event of that name. @returns a function that unsubscribes it */
  on<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): () => void;
  /** Calls `listener` for every event, whatever its name. @returns a function that unsubscribes it */
  onAny(listener: AnyListener<Events>): () => void;
}

/** The whole emitter, kept by the component that owns the events. */
export interface Emitter<Events extends EventMap> extends EventSource<Events> {
  /** Calls the listeners in the order they subscribed. Never throws: a failing listener is logged. */
  emit<Name extends keyof Events & string>(name: Name, payload: Events[Name]): void;
  /** How many listeners an event of that name would reach; lets a hot path skip building the payload. */
  listenerCount(name: keyof Events & string): number;
}

export interface EmitterOptions {
  /** Told of listeners that throw or reject. @default silentLogger */
  readonly logger?: Logger;
}

interface Subscription<Fn> {
  readonly listener: Fn;
}

/**
 * A typed emitter whose listeners can't hurt the code that emits, nor each other: what one throws, or what an async
 * one rejects with, is logged. A listener added or removed during an emit counts from the next one on.
 */
export function createEmitter<Events extends EventMap>(options: EmitterOptions = {}): Emitter<Events> {
  const logger = options.logger ?? silentLogger;
  // The arrays are replaced, never changed, so that an emit in progress sees the list it began with.
  // Each subscription is an object of its own: the same function may subscribe twice.
  const named = new Map<string, readonly Subscription<Listener<never>>[]>();
  let any: readonly Subscription<AnyListener<Events>>[] = [];

  const report = (name: string, error: unknown): void => {
    try {
      logger.error({ err: error, event: name }, `A listener of "${name}" failed.`);
    } catch {
      // A logger that fails has nobody left to tell, and must not reach the emitter either.
    }
  };
  const call = (name: string, fn: () => unknown): void => {
    try {
      const result = fn();
      if (result instanceof Promise) result.catch((error: unknown) => report(name, error));
    } catch (error) {
      report(name, error);
    }
  };

  return {
    on(name, listener) {
      const subscription = { listener: listener as Listener<never> };
      named.set(name, [...(named.get(name) ?? []), subscription]);
      return () => {
        const rest = (named.get(name) ?? []).filter((other) => other !== subscription);
        if (rest.length > 0) named.set(name, rest);
        else named.delete(name);
      };
    },
    onAny(listener) {
      const subscription = { listener };
      any = [...any, subscription];
      return () => {
        any = any.filter((other) => other !== subscription);
      };
    },
    emit(name, payload) {
      const listeners = named.get(name);
      const anyListeners = any;
      if (listeners !== undefined) {
        for (const { listener } of listeners) {
          call(name, () => (listener as Listener<typeof payload>)(payload));
        }
      }
      for (const { listener } of anyListeners) call(name, () => listener(name, payload));
    },
    listenerCount: (name) => (named.get(name)?.length ?? 0) + any.length,
  };
}
