import { useEffect, useState } from 'preact/hooks';

/** A value that tells its listeners when it changes. */
export interface Store<Value> {
  get(): Value;
  /** Sets it; the same value again tells nobody. */
  set(next: Value): void;
  /** Sets it by what it was. */
  update(change: (value: Value) => Value): void;
  /** Returns what ends the subscription. */
  subscribe(listener: (value: Value) => void): () => void;
}

export function createStore<Value>(initial: Value): Store<Value> {
  let value = initial;
  const listeners = new Set<(value: Value) => void>();
  const set = (next: Value): void => {
    if (Object.is(next, value)) return;
    value = next;
    for (const listener of listeners) listener(value);
  };
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The value of a store, or what `select` takes from it; renders again when that changes. */
export function useStore<Value>(store: Store<Value>): Value;
export function useStore<Value, Part>(store: Store<Value>, select: (value: Value) => Part): Part;
export function useStore<Value, Part>(
  store: Store<Value>,
  select: (value: Value) => Part = (value) => value as unknown as Part,
): Part {
  const [, render] = useState(0);
  const part = select(store.get());
  useEffect(() => {
    let seen = part;
    const look = (): void => {
      const next = select(store.get());
      if (Object.is(next, seen)) return;
      seen = next;
      render((count) => count + 1);
    };
    // It may have changed between the render and now.
    look();
    return store.subscribe(look);
  }, [store, part]);
  return part;
}
