/** `2026-03-08T07:00:00.000Z` @param at milliseconds since the epoch */
export function isoTime(at: number): string {
  return new Date(at).toISOString(); // oxlint-disable-line eslint/no-restricted-globals -- a conversion, it reads no clock
}
