import type { LogEntryView, LogPageView, RunView } from '../api/run-schemas.ts';
import { type Client, route } from './client.ts';
import { note, printJsonLine } from './output.ts';
import { patiently } from './patience.ts';
import { hasEnded } from './run-outcome.ts';
import { toHarmless } from './text-width.ts';

export interface LogStyle {
  readonly timestamps?: boolean;
  /** Absent: both. */
  readonly stream?: 'stdout' | 'stderr';
}

export interface FollowLogOptions extends LogStyle {
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** Absent: the latest, and those that follow. */
  readonly attempt?: number;
  /** Where to begin in the log, in bytes. @default 0 */
  readonly from?: number;
}

/** How long one question waits for the next attempt. */
const NEXT_ATTEMPT_MS = 1_000;

/** Says, once each time, that the service is away. */
export function noteBroken(): void {
  note('the connection broke; it is sought again');
}

/** Prints what a run printed and prints until it ends, attempt by attempt, over restarts of the service. */
export async function followLog(client: Client, id: string, options: FollowLogOptions): Promise<void> {
  const { json, signal, attempt } = options;
  const path = route`/v1/runs/${id}/logs`;
  const page = await client.get<LogPageView>(path, { query: { tail: 1, attempt }, signal });
  let { from } = options;
  for (let current = page.attempt; ;) {
    const isTold = await followAttempt(client, id, current, { ...options, from });
    if (attempt !== undefined) return;
    const { next, state } = await nextAttempt(client, id, current, signal);
    if (next === undefined) {
      if (json && !isTold) printJsonLine({ event: 'complete', attempt: current, state });
      return;
    }
    note(`attempt ${next} begins`);
    current = next;
    from = undefined;
  }
}

/**
 * @param attempt 0 is the first one, which has not begun
 * @returns whether its end was told; it is not where the end came while the connection was broken
 */
async function followAttempt(
  client: Client,
  id: string,
  attempt: number,
  { json, signal, from, ...style }: Omit<FollowLogOptions, 'from'> & { readonly from: number | undefined },
): Promise<boolean> {
  const events = client.follow(route`/v1/runs/${id}/logs/stream`, {
    signal,
    onBroken: noteBroken,
    // Later attempts have logs of their own: to go on is to name the attempt.
    query: (lastEventId) => ({
      attempt: attempt === 0 && lastEventId === undefined ? undefined : Math.max(1, attempt),
      from: lastEventId === undefined ? from : undefined,
    }),
  });
  let endsLine = true;
  for await (const { event, data } of events) {
    if (json) printJsonLine({ event, attempt: Math.max(1, attempt), ...(data as object) });
    else if (event === 'entry') {
      printEntry(data as LogEntryView, style);
      ({ endsLine } = data as LogEntryView);
    } else if (event === 'dropped') {
      note(`${(data as { readonly bytes: number }).bytes} bytes of the log are gone here`);
    }
    if (event === 'complete') {
      // What is said next begins a line of its own; in a pipe the bytes stay what they were.
      if (!endsLine && process.stderr.isTTY) process.stderr.write('\n');
      return true;
    }
  }
  return false;
}

/** The number of the attempt that follows, once it has begun; undefined when the run ended without one. */
async function nextAttempt(
  client: Client,
  id: string,
  attempt: number,
  signal: AbortSignal,
): Promise<{ readonly next: number | undefined; readonly state: RunView['state'] }> {
  for (;;) {
    const question = { query: { timeoutMs: NEXT_ATTEMPT_MS }, signal };
    const { attempts, state } = await patiently(
      () => client.get<RunView>(route`/v1/runs/${id}/wait`, question),
      { signal, onBroken: noteBroken },
    );
    const latest = attempts.at(-1)?.fence ?? 0;
    if (latest > Math.max(1, attempt)) return { next: Math.max(1, attempt) + 1, state };
    if (hasEnded(state)) return { next: undefined, state };
  }
}

/** Prints a line on the stream it came from. */
export function printEntry(
  { at, level, stream, text, endsLine }: LogEntryView,
  { timestamps = false, stream: wanted }: LogStyle,
): void {
  if (wanted !== undefined && stream !== wanted) return;
  const prefix = timestamps ? `[${at}] [${level}] ` : '';
  const shown = process[stream].isTTY ? toHarmless(text) : text;
  process[stream].write(`${prefix}${shown}${endsLine ? '\n' : ''}`);
}
