import { expect, it } from 'vitest';
import { formatBytes } from './bytes.ts';

it.each([
  [null, '–'],
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_024, '1.0 KiB'],
  [1_500, '1.5 KiB'],
  [37_748_736, '36 MiB'],
  [5 * 1_024 ** 4, '5.0 TiB'],
  [5_000 * 1_024 ** 4, '5000 TiB'],
])('puts %s bytes as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
