/** Remembers which place the runs of an affinity went to last. */
export interface Affinity<P> {
  /** Where they went, if that is remembered. */
  get(key: string): P | undefined;
  bind(key: string, place: P): void;
  /** The place is gone: the next runs of its keys go anywhere. */
  forget(place: P): void;
}

/** @param maxKeys how many are remembered; beyond that the one that was used longest ago is forgotten */
export function createAffinity<P>(maxKeys: number): Affinity<P> {
  const places = new Map<string, P>();
  return {
    get(key) {
      const place = places.get(key);
      if (place === undefined) return undefined;
      // Moves it to the end: the map's order is that of use.
      places.delete(key);
      places.set(key, place);
      return place;
    },
    bind(key, place) {
      places.delete(key);
      places.set(key, place);
      if (places.size <= maxKeys) return;
      for (const oldest of places.keys()) {
        places.delete(oldest);
        return;
      }
    },
    forget(place) {
      for (const [key, bound] of places) if (bound === place) places.delete(key);
    },
  };
}
