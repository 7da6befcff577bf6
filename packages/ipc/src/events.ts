/** What a connection tells about frames that are nobody's answer. */
export interface ConnectionEvents {
  /** A line that is no message: a stray print, or a fault of the far side. It cost nothing but itself. */
  'protocol:malformed': { readonly reason: string; readonly sizeBytes: number; readonly preview: string };
  /** An answer to a request that is not open: answered twice, or never asked. */
  'protocol:unknown-response': { readonly id: number | null };
}
