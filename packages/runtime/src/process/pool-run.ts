import type { Timer } from '@pawl/core';
import type { AnswerListener, OpenCall } from '@pawl/ipc';
import type { Deadline } from '../scheduling/deadlines.ts';
import type { BalancedRun } from '../scheduling/balancing/balancer.ts';
import type { QueueEntry, RunQueue } from '../scheduling/run-queue.ts';
import type { RunOptions, TimeoutFrom } from './run-options.ts';
import type { Slot } from './worker-slot.ts';

/** Takes the chunks of a run, and says how many may come before any was taken. */
export interface ChunkSink {
  readonly credit: number;
  push(chunk: unknown): void;
}

/** Who is told what a worker says of runs. */
export interface RunAnswers {
  answered(run: PoolRun, call: OpenCall, value: unknown): void;
  refused(run: PoolRun, call: OpenCall, error: unknown): void;
  notified(run: PoolRun, method: string, params: Readonly<Record<string, unknown>>): void;
}

/** What a run is to be, once its options were checked. */
export interface RunPlan {
  readonly runId: string;
  readonly task: string;
  readonly input: unknown;
  readonly options: RunOptions;
  readonly timeoutMs: number;
  readonly timeoutFrom: TimeoutFrom;
  readonly chunks: ChunkSink | undefined;
}

// A promise's own functions, taken out without a function made anew for each.
let keptResolve: (value: unknown) => void;
let keptReject: (error: unknown) => void;
const keepSettlers = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
  keptResolve = resolve;
  keptReject = reject;
};

/**
 * One run on its way through the pool, and where it stands:
 *
 * ```text
 * open ─▶ delayed ─▶ parked ─▶ queued ─▶ sent ahead ─▶ executing ─▶ settled
 *   └────────┴─────────┴─────────┼───────────▲            │
 *                                ▲           │            ▼
 *                                └───────────┘      given up: settled, and its worker is not done with it
 * ```
 *
 * Any step may be left out, and each of them may end with `settled`. A run sent ahead goes back into the queue when it
 * is withdrawn, or when its worker ends before it began.
 */
export class PoolRun implements Deadline, BalancedRun, AnswerListener {
  readonly runId: string;
  readonly task: string;
  readonly input: unknown;
  readonly attempt: number;
  readonly options: RunOptions;
  readonly timeoutMs: number;
  readonly timeoutFrom: TimeoutFrom;
  readonly chunks: ChunkSink | undefined;
  /** On the pool's clock. */
  readonly submittedAt: number;
  /** Whose run it is, for the queue and the balancers. */
  readonly key: string | undefined;
  /** Whether it must have its worker to itself, because what that prints is told to belong to it. */
  readonly isAlone: boolean;
  readonly promise: Promise<unknown> = new Promise(keepSettlers);
  readonly #resolve: (value: unknown) => void = keptResolve;
  readonly #reject: (error: unknown) => void = keptReject;
  settled = false;
  /** Whether a worker executes it, or has. */
  hasBegun = false;
  /** When it began, on the pool's clock. */
  begunAt = 0;
  /** Its place in the order of arrival, for when it has to wait after it was sent ahead; 0 before it was. */
  turn = 0;
  /** When it took that, on the pool's clock. */
  turnAt = 0;
  /** Its place in the order of the queue, kept for when it has to go back. */
  entry: QueueEntry<PoolRun> | undefined = undefined;
  /** The queue it waits in. */
  queue: RunQueue<PoolRun> | undefined = undefined;
  /** The worker that has it, from the moment it was sent until its answer, or the worker's end. */
  slot: Slot | undefined = undefined;
  /** Its request, while that is unanswered. */
  call: OpenCall | undefined = undefined;
  /** Set with `call`. */
  answers: RunAnswers | undefined = undefined;
  /** Its worker was asked to give it back, and has not decided yet. */
  isRecalled = false;
  /** What it was expected to take when it was sent, in milliseconds. */
  expectedMs = 0;
  /** Why it was given up, as its task is told. */
  giveUpReason = '';
  /** Until when its worker may end it by itself, once it was given up. */
  graceTimer: Timer | undefined = undefined;
  /** Takes the listener off the caller's signal. */
  stopListening: (() => void) | undefined = undefined;
  /** When its time is up, on the pool's clock. */
  endsAt: number = Infinity;
  /** Where its worker's main thread was, if it was found stuck. */
  workerStack: string | undefined = undefined;
  dueAt: number = Infinity;
  heapIndex = -1;

  constructor(plan: RunPlan, submittedAt: number) {
    const { options } = plan;
    this.runId = plan.runId;
    this.task = plan.task;
    this.input = plan.input;
    this.attempt = options.attempt ?? 1;
    this.options = options;
    this.timeoutMs = plan.timeoutMs;
    this.timeoutFrom = plan.timeoutFrom;
    this.chunks = plan.chunks;
    this.submittedAt = submittedAt;
    this.key = options.key;
    this.isAlone = options.onOutput !== undefined;
  }

  onResult(value: unknown, call: OpenCall): void {
    this.answers?.answered(this, call, value);
  }

  onFailure(error: unknown, call: OpenCall): void {
    this.answers?.refused(this, call, error);
  }

  onNotification(method: string, params: Readonly<Record<string, unknown>>): void {
    this.answers?.notified(this, method, params);
  }

  /** @returns false when it was settled already */
  resolve(value: unknown): boolean {
    if (!this.#settle()) return false;
    this.#resolve(value);
    return true;
  }

  /** @returns false when it was settled already */
  reject(error: unknown): boolean {
    if (!this.#settle()) return false;
    this.#reject(error);
    return true;
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.stopListening?.();
    return true;
  }
}
