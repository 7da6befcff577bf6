import type { RunView } from '../api/run-schemas.ts';
import { type Client, route } from './client.ts';
import { untilInterrupted } from './interrupt.ts';
import { note, print, printJson, printJsonLine } from './output.ts';
import { openProgressLine } from './progress-line.ts';
import { patiently } from './patience.ts';
import { followLog, noteBroken } from './run-log.ts';
import { runSentence } from './run-lines.ts';
import { exitCodeOfRun, hasEnded } from './run-outcome.ts';

export interface WatchOptions {
  readonly json: boolean;
  /** Whether its lines are printed as they come. */
  readonly follow: boolean;
}

/** How long one question waits for the end: as long as the service lets it, or so that a bar moves. */
const QUIET_WAIT_MS = 30_000;
const SHOWN_WAIT_MS = 1_000;

/** Waits for the end of a run that was just submitted, and says how it ended. @returns the exit code that mirrors it */
export async function watchRun(client: Client, id: string, { json, follow }: WatchOptions): Promise<number> {
  return untilInterrupted(
    async (signal) => {
      if (!json) note(`submitted ${id}`);
      if (follow) await followLog(client, id, { json, signal });
      const run = follow ? await readRun(client, id, signal) : await waitForEnd(client, id, signal);
      if (json && follow) printJsonLine({ event: 'run', run });
      else if (json) printJson(run);
      else if (follow) note(runSentence(run));
      else print(runSentence(run));
      return exitCodeOfRun(run);
    },
    () => tellThatItGoesOn(id),
  );
}

/** Says after Ctrl-C what becomes of a run that nobody watches. */
export function tellThatItGoesOn(id: string): void {
  note(`stopped watching; the run goes on. \`pawl cancel ${id}\` ends it.`);
}

function readRun(client: Client, id: string, signal: AbortSignal): Promise<RunView> {
  return patiently(() => client.get<RunView>(route`/v1/runs/${id}`, { signal }), {
    signal,
    onBroken: noteBroken,
  });
}

async function waitForEnd(client: Client, id: string, signal: AbortSignal): Promise<RunView> {
  const line = openProgressLine(process.stderr);
  const timeoutMs = line.isShown ? SHOWN_WAIT_MS : QUIET_WAIT_MS;
  try {
    for (;;) {
      const question = { query: { timeoutMs }, timeoutMs: timeoutMs + QUIET_WAIT_MS, signal };
      const run = await patiently(() => client.get<RunView>(route`/v1/runs/${id}/wait`, question), {
        signal,
        onBroken: noteBroken,
      });
      if (hasEnded(run.state)) return run;
      line.show(run);
    }
  } finally {
    line.close();
  }
}
