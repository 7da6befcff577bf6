import { type InboundContext, InvalidInputError } from '@pawl/ipc';
import type { RunContext } from './run-context.ts';
import type { GatedRun } from './run-gate.ts';
import { isChunkIterator, sendChunks } from './send-chunks.ts';
import type { Checked, ServedTask } from './task.ts';

/** One run of a task, from its turn to its answer. */
export class ServedRun implements GatedRun {
  readonly inbound: InboundContext;
  onAnswered: GatedRun['onAnswered'] = undefined;
  readonly #task: ServedTask;
  readonly #input: unknown;
  readonly #context: RunContext;
  readonly #onEnded: ((run: ServedRun) => void) | undefined;

  constructor(
    inbound: InboundContext,
    task: ServedTask,
    input: unknown,
    context: RunContext,
    onEnded?: (run: ServedRun) => void,
  ) {
    this.inbound = inbound;
    this.#task = task;
    this.#input = input;
    this.#context = context;
    this.#onEnded = onEnded;
  }

  get task(): string {
    return this.#task.name;
  }

  begin(now: number): unknown {
    this.#context.checkTime(now);
    const { check } = this.#task;
    if (check === undefined) return this.#execute(this.#input);
    const outcome = check(this.#input);
    return outcome instanceof Promise
      ? outcome.then((found) => this.#executeIfValid(found))
      : this.#executeIfValid(outcome);
  }

  answered(failed: boolean): void {
    this.onAnswered?.(this, failed);
  }

  cancelled(reason: Error): void {
    this.#context.end(reason);
  }

  ended(): void {
    this.#context.end();
    this.#onEnded?.(this);
  }

  #executeIfValid(outcome: Checked): unknown {
    if ('issues' in outcome) throw new InvalidInputError(this.#task.name, outcome.issues);
    return this.#execute(outcome.value);
  }

  #execute(input: unknown): unknown {
    const result = this.#task.run(input, this.#context);
    return isChunkIterator(result) ? sendChunks(result, this.#context.emit) : result;
  }
}
