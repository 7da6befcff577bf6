/** Milliseconds, by kind. */
export interface Latencies {
  add(kind: string, ms: number): void;
  kinds(): readonly string[];
  /** @param kind all of them, unless one is named */
  quantile(share: number, kind?: string): number;
}

export function createLatencies(): Latencies {
  const byKind = new Map<string, number[]>();
  return {
    add(kind, ms) {
      const values = byKind.get(kind);
      if (values === undefined) byKind.set(kind, [ms]);
      else values.push(ms);
    },
    kinds: () => [...byKind.keys()],
    quantile(share, kind) {
      const values = kind === undefined ? [...byKind.values()].flat() : (byKind.get(kind) ?? []);
      return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
    },
  };
}
