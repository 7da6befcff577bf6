/** The share, from 0 to 1, that a report of progress means: a number, `{done, total}`, `{fraction}` or `{percent}`. */
export function shareOf(value: unknown): number | undefined {
  if (typeof value === 'number') return inside(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const { done, total, fraction, percent } = value as Readonly<Record<string, unknown>>;
  if (typeof done === 'number' && typeof total === 'number' && total > 0) return inside(done / total);
  if (typeof fraction === 'number') return inside(fraction);
  return typeof percent === 'number' ? inside(percent / 100) : undefined;
}

function inside(share: number): number | undefined {
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : undefined;
}
