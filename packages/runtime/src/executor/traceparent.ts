import { randomBytes } from 'node:crypto';

const VERSION = '00';
const SAMPLED = '01';

/**
 * A new W3C `traceparent` of a sampled trace: `00-<32 hex digits>-<16 hex digits>-01`.
 * Source: https://www.w3.org/TR/trace-context/#traceparent-header-field-values
 */
export function newTraceparent(): string {
  const ids = randomBytes(24).toString('hex');
  return `${VERSION}-${ids.slice(0, 32)}-${ids.slice(32)}-${SAMPLED}`;
}
