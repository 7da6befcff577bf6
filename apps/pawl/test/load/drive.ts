import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { createLoadClient } from './client.ts';
import { GOOD_KINDS, goodProgram, mixedProgram } from './programs.ts';
import type { Tally } from './tally.ts';

/** Clients so far: each has an address, and so a rate limit, of its own. */
let clientsMade = 0;
/** Programs so far: each has a number of its own, by which its answer is known. */
let programsMade = 0;

export interface DriveOptions {
  readonly url: string;
  readonly clients: number;
  /** No program is sent after that. */
  readonly durationMs: number;
  /** How many are sent at most, those that are refused included. */
  readonly maxPrograms: number;
}

/** Sends mixed programs from many clients, each of which waits for its answer, and when it is refused until it may come again. */
export async function driveMixed(tally: Tally, options: DriveOptions): Promise<void> {
  const { url, clients, durationMs, maxPrograms } = options;
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const timer = setTimeout(() => over.abort(), durationMs);
  let sent = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = createLoadClient(url, clientsMade);
      clientsMade += 1;
      try {
        while (!over.signal.aborted) {
          const program = mixedProgram(programsMade);
          programsMade += 1;
          sent += 1;
          if (sent >= maxPrograms) over.abort();
          const reply = await client.send(program);
          tally.note(program, reply);
          if (reply.result !== undefined) continue;
          // Up to half as long again, so that those who were refused together don't come back together.
          const pauseMs = (reply.retryAfter ?? 1) * 1_000 * (1 + Math.random() / 2);
          await wait(pauseMs, undefined, { signal: over.signal }).catch(() => undefined);
        }
      } finally {
        client.close();
      }
    }),
  );
  clearTimeout(timer);
}

/** Requests of one client before the rate limit may stop it. */
const REQUESTS_PER_CLIENT = 24;

/** Sends good programs one by one, `rounds` of each kind. */
export async function driveAlone(tally: Tally, url: string, rounds: number): Promise<void> {
  let requests = 0;
  let client = createLoadClient(url, clientsMade);
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of GOOD_KINDS) {
      if (requests % REQUESTS_PER_CLIENT === 0) {
        client.close();
        clientsMade += 1;
        client = createLoadClient(url, clientsMade);
      }
      requests += 1;
      const program = goodProgram(kind, programsMade);
      programsMade += 1;
      tally.note(program, await client.send(program));
    }
  }
  clientsMade += 1;
  client.close();
}
