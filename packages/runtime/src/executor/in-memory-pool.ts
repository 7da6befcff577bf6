import { type Clock, createEmitter, linkAbort, type Logger, PawlError } from '@pawl/core';
import { decodeError, encodeError, encodeFrame, errorCodes, InvalidInputError } from '@pawl/ipc';
import { CancelScope } from '@pawl/resilience';
import type { PoolEvents } from '../events.ts';
import { RunTimeoutError } from '../process/pool-errors.ts';
import type { ChunkSink } from '../process/pool-run.ts';
import type { RunOptions } from '../process/run-options.ts';
import { ScopedRunOptions } from '../process/scoped-run-options.ts';
import { createRunStream, type StreamedRun, type StreamOptions } from '../process/run-stream.ts';
import { WorkerCrashedError } from '../process/worker-errors.ts';
import { type ChunkStream, createChunkStream } from '../worker/chunk-stream.ts';
import type { TaskContext } from '../worker/run-context.ts';
import { createRunLogger } from '../worker/run-logger.ts';
import { isChunkIterator, sendChunks } from '../worker/send-chunks.ts';
import { type ServedTask, servedTask, type Task } from '../worker/task.ts';
import type { ExecutorPool } from './pool-routes.ts';

/** The worker that all runs are said to be in: this process. */
const WORKER_ID = 'memory';

/** A pool whose tasks are called in this process, as many at once as there are runs. */
export function createInMemoryPool(
  tasks: Readonly<Record<string, Task>>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): ExecutorPool & Required<Pick<ExecutorPool, 'on' | 'stream'>> {
  const served = new Map(Object.entries(tasks).map(([name, task]) => [name, servedTask(name, task)]));
  const emitter = createEmitter<PoolEvents>({ logger });

  function taskNamed(name: string): ServedTask {
    const task = served.get(name);
    if (task !== undefined) return task;
    throw new PawlError(`There is no task "${name}" here. There are: ${[...served.keys()].join(', ')}.`, {
      code: 'NO_SUCH_TASK',
    });
  }

  async function run(name: string, input: unknown, how: RunOptions, chunks?: ChunkStream): Promise<unknown> {
    const given = ScopedRunOptions.takeScope(how) ?? (how.signal && new CancelScope(how.signal));
    if (given?.aborted === true) throw given.reason as Error;
    const sent = sentInput(input);
    const { runId = '', attempt = 1, timeoutMs = Infinity } = how;
    const task = taskNamed(name);
    emitter.emit('run:started', { runId, task: name, attempt, workerId: WORKER_ID, queuedMs: 0 });
    using cut = new CancelScope(given);
    const timer = clock.setTimer(timeoutMs, () =>
      cut.abort(new RunTimeoutError({ runId, task: name, attempt }, timeoutMs)),
    );
    if (chunks !== undefined) cut.listen((reason) => chunks.end(reason as Error));
    const context = new MemoryContext(how, { deadline: clock.now() + timeoutMs, cut, chunks, logger });
    try {
      return await cut.guard(call(task, sent, context));
    } finally {
      timer.cancel();
      chunks?.end();
    }
  }

  function begin(name: string, input: unknown, how: RunOptions, sink: ChunkSink): StreamedRun {
    const chunks = createChunkStream(sink.credit, async (_seq, chunk) => sink.push(sentResult(chunk)));
    const stop = linkAbort(how.signal);
    const promise = run(name, input, { ...how, signal: stop.signal }, chunks);
    const unlink = (): void => stop[Symbol.dispose]();
    promise.then(unlink, unlink);
    return { promise, grant: (n) => chunks.grant(n), cancel: (reason) => stop.abort(reason) };
  }

  return {
    run: async (name: string, input?: unknown, how: RunOptions = {}) => run(name, input, how),
    stream: (name: string, input?: unknown, how: StreamOptions = {}) =>
      createRunStream(how, (options, sink) => begin(name, input, options, sink)),
    on: (name, listener) => emitter.on(name, listener),
  };
}

/** @throws what a host would be told: the error as it comes over a wire */
async function call(task: ServedTask, input: unknown, context: TaskContext): Promise<unknown> {
  try {
    const checked = task.check === undefined ? { value: input } : await task.check(input);
    if ('issues' in checked) throw new InvalidInputError(task.name, checked.issues);
    const result = await task.run(checked.value, context);
    return sentResult(
      isChunkIterator(result) ? await sendChunks(result, (chunk) => context.emit(chunk)) : result,
    );
  } catch (error) {
    if (error instanceof WorkerCrashedError || error instanceof InvalidInputError) throw error;
    throw decodeError(encodeError(error), { rpcCode: errorCodes.taskFailed });
  }
}

/** Most tasks use little of their context: each part is made when it is asked for. */
class MemoryContext implements TaskContext {
  readonly runId: string;
  readonly attempt: number;
  readonly deadline: number;
  readonly trace: string | undefined;
  readonly #how: RunOptions;
  readonly #cut: CancelScope;
  readonly #chunks: ChunkStream | undefined;
  readonly #logger: Logger;

  constructor(
    how: RunOptions,
    parts: {
      readonly deadline: number;
      readonly cut: CancelScope;
      readonly chunks: ChunkStream | undefined;
      readonly logger: Logger;
    },
  ) {
    this.runId = how.runId ?? '';
    this.attempt = how.attempt ?? 1;
    this.deadline = parts.deadline;
    this.trace = how.trace;
    this.#how = how;
    this.#cut = parts.cut;
    this.#chunks = parts.chunks;
    this.#logger = parts.logger;
  }

  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  get progress(): TaskContext['progress'] {
    return (progress) => this.#tell(this.#how.onProgress, progress);
  }

  get emit(): TaskContext['emit'] {
    return async (chunk) => this.#chunks?.emit(chunk);
  }

  get log(): Logger {
    return createRunLogger((level, message, fields) =>
      this.#tell(this.#how.onLog, { level, message, ...(fields === undefined ? {} : { fields }) }),
    );
  }

  #tell(callback: ((message: never) => void) | undefined, message: object): void {
    try {
      callback?.(sentNews(message) as never);
    } catch (error) {
      this.#logger.error({ err: error, runId: this.runId }, 'A callback of a run failed.');
    }
  }
}

/** @throws NotSerializableError naming the path */
function sentInput(input: unknown): unknown {
  const { params } = JSON.parse(encodeFrame({ jsonrpc: '2.0', id: 1, method: 'run', params: { input } })) as {
    readonly params: { readonly input: unknown };
  };
  return params.input;
}

/** @throws NotSerializableError naming the path */
function sentNews(message: object): unknown {
  return (
    JSON.parse(encodeFrame({ jsonrpc: '2.0', method: 'news', params: message })) as {
      readonly params: unknown;
    }
  ).params;
}

/** @throws NotSerializableError naming the path */
function sentResult(result: unknown): unknown {
  if (result === undefined) return undefined;
  return (JSON.parse(encodeFrame({ jsonrpc: '2.0', id: 1, result })) as { readonly result: unknown }).result;
}
