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

/**
 * A typed emitter whose listeners can't hurt the code that emits, nor each other: what one throws, or what an async
 * one rejects with, is logged. A listener added or removed during an emit counts from the next one on.
 */
export function createEmitter<Events extends EventMap>(options: EmitterOptions = {}): Emitter<Events> {
  const logger = options.logger ?? silentLogger;
  // The arrays are replaced, never changed, so that an emit in progress sees the list it began with.
  const named = new Map<string, readonly Listener<never>[]>();
  let any: readonly AnyListener<Events>[] = [];

  const report = (name: string, error: unknown): void => {
    logger.error({ err: error, event: name }, `A listener of "${name}" failed.`);
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
      const entry = listener as Listener<never>;
      named.set(name, [...(named.get(name) ?? []), entry]);
      let subscribed = true;
      return () => {
        if (!subscribed) return;
        subscribed = false;
        const rest = without(named.get(name) ?? [], entry);
        if (rest.length > 0) named.set(name, rest);
        else named.delete(name);
      };
    },
    onAny(listener) {
      any = [...any, listener];
      let subscribed = true;
      return () => {
        if (!subscribed) return;
        subscribed = false;
        any = without(any, listener);
      };
    },
    emit(name, payload) {
      const listeners = named.get(name);
      const anyListeners = any;
      if (listeners !== undefined) {
        for (const listener of listeners) call(name, () => (listener as Listener<typeof payload>)(payload));
      }
      for (const listener of anyListeners) call(name, () => listener(name, payload));
    },
    listenerCount: (name) => (named.get(name)?.length ?? 0) + any.length,
  };
}

/** The list less one occurrence of the item: the same function may subscribe twice. */
function without<T>(list: readonly T[], item: T): readonly T[] {
  const at = list.indexOf(item);
  return at === -1 ? list : [...list.slice(0, at), ...list.slice(at + 1)];
}
