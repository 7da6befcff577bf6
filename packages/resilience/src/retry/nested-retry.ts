/**
 * Keeps nested retries from multiplying: three around three would be nine calls. A retry that gave up after several
 * attempts notes the error here; a retry around it finds the note and gives up too.
 *
 * The notes are numbered, and a retry heeds only those made since its own attempt began, so that an error object
 * which is thrown again later starts afresh. Kept per error rather than in an AsyncLocalStorage, which on Node 20
 * slows down every promise of the process.
 */
const notes = new WeakMap<object, number>();
let latestNote = 0;

/** How far down the causes of an error a note is looked for. */
const MAX_CAUSES = 10;

/** The number of the latest note. Take it before an attempt. */
export function latestGiveUp(): number {
  return latestNote;
}

/** Notes that a retry tried several times and gave up with `error`. */
export function noteGiveUp(error: unknown): void {
  if (typeof error !== 'object' || error === null) return;
  latestNote += 1;
  notes.set(error, latestNote);
}

/** Whether `error`, or one that it was caused by, was noted after the note of number `since`. */
export function gaveUpSince(error: unknown, since: number): boolean {
  if (since === latestNote) return false;
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof current === 'object' && current !== null; depth += 1) {
    const note = notes.get(current);
    if (note !== undefined && note > since) return true;
    current = (current as { readonly cause?: unknown }).cause;
  }
  return false;
}
