import type { Reply } from './client.ts';
import { createLatencies, type Latencies } from './latencies.ts';
import type { SentProgram } from './programs.ts';

/** What came of many programs. */
export interface Tally {
  readonly sent: number;
  /** Answers by the kind of program. */
  readonly answers: ReadonlyMap<string, number>;
  /** Answers that are not those to what was sent. */
  readonly wrong: readonly { readonly program: SentProgram; readonly got: unknown }[];
  /** Refusals by their status and code, and how many of them did not say when to come again. */
  readonly refused: ReadonlyMap<string, { readonly count: number; readonly silent: number }>;
  /** Of good programs: from the request to its answer, as the service counts it, as the sandbox does. */
  readonly endToEnd: Latencies;
  readonly inService: Latencies;
  readonly inSandbox: Latencies;
  note(program: SentProgram, reply: Reply): void;
}

/** The ways in which overload is shed. Any other refusal is a fault of the service. */
const OVERLOAD: ReadonlySet<string> = new Set(['429 RATE_LIMITED', '503 OVERLOADED']);

export function createTally(): Tally {
  const answers = new Map<string, number>();
  const refused = new Map<string, { count: number; silent: number }>();
  const wrong: { program: SentProgram; got: unknown }[] = [];
  const endToEnd = createLatencies();
  const inService = createLatencies();
  const inSandbox = createLatencies();
  let sent = 0;

  function noteRefusal(program: SentProgram, { refusal, retryAfter }: Reply): void {
    if (!OVERLOAD.has(refusal)) wrong.push({ program, got: refusal });
    const { count, silent } = refused.get(refusal) ?? { count: 0, silent: 0 };
    const isSilent = !(retryAfter !== undefined && retryAfter >= 1);
    refused.set(refusal, { count: count + 1, silent: silent + Number(isSilent) });
  }

  return {
    get sent() {
      return sent;
    },
    answers,
    wrong,
    refused,
    endToEnd,
    inService,
    inSandbox,
    note(program, reply) {
      const { result, latencyMs } = reply;
      const { kind, isGood } = program;
      sent += 1;
      if (result === undefined) {
        noteRefusal(program, reply);
        return;
      }
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
      if (!program.isRight(result)) wrong.push({ program, got: result });
      if (!isGood) return;
      endToEnd.add(kind, latencyMs);
      inService.add(kind, result.executionTime);
      inSandbox.add(kind, result.usage.wallMs);
    },
  };
}
