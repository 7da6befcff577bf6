import type { AttemptEnding, Beat } from './run-transitions.ts';
import type { HostIdentity, NewRun, ProcessIdentity, Run } from './run.ts';
import type { RunPage, RunQuery } from './run-query.ts';
import type { RunState } from './run-state.ts';

export interface OpenStoreOptions {
  readonly host: HostIdentity;
  /** How many runs of one key may be running at a time. */
  readonly maxPerKey: number;
  /** How many runs may be queued before another is refused. What is queued again is never refused. @default Infinity */
  readonly maxQueued?: number;
}

export interface AddedRun {
  readonly run: Run;
  /** Whether it is new; false when its idempotency key had been used for the same task and input. */
  readonly created: boolean;
}

export interface CancelledRun {
  readonly run: Run;
  /** False when it had ended, or been cancelled, before. */
  readonly changed: boolean;
}

export interface ClaimRequest {
  readonly now: number;
  /** At most so many. */
  readonly limit: number;
}

export interface Claims {
  /** Running now, each with a new attempt of this host, in the order they are due. */
  readonly claimed: readonly Run[];
  /** Queued runs whose deadline had passed: timed out. */
  readonly expired: readonly Run[];
  /** When the next delayed run falls due or the next queued one meets its deadline; undefined when there is neither. */
  readonly nextAt: number | undefined;
}

/** What a heartbeat brings back. */
export interface BeatReport {
  /** Runs whose attempt is over by the store's word: its host must let go of them. */
  readonly stale: readonly string[];
  /** Runs that somebody asked to cancel. */
  readonly cancelRequested: readonly string[];
}

/** How many runs are in each state. They add up: `submitted` is the sum of the states and of `removed`. */
export interface RunCounts extends Readonly<Record<RunState, number>> {
  /** All that were ever stored. */
  readonly submitted: number;
  /** Those that are gone after their retention. */
  readonly removed: number;
}

/**
 * Keeps runs and hands them out. Every call is a transaction of its own and durable when it resolves; a call that
 * rejects has changed nothing. Time comes in as `now`, in milliseconds since the epoch.
 *
 * `runStoreContract` of `@pawl/tasks/testing` holds the rules as checks.
 */
export interface RunStore {
  /**
   * Takes the store for a host, which is its only one until it closes it or dies.
   * @throws StoreLockedError naming the host that has it; RunStoreError
   */
  open(options: OpenStoreOptions): Promise<void>;
  /** Lets the store go. Runs that are running stay so, for the next host to find. Closing twice is fine. */
  close(): Promise<void>;
  /**
   * An idempotency key that is known is answered also when the queue is full.
   * @throws IdempotencyConflictError, RunExistsError, RunQueueFullError
   */
  add(run: NewRun): Promise<AddedRun>;
  get(id: string): Promise<Run | undefined>;
  list(query: RunQuery): Promise<RunPage>;
  counts(): Promise<RunCounts>;
  /**
   * Begins attempts of queued runs that are due: by priority, then by the order they were submitted, of each key at
   * most `maxPerKey` at a time. Times out those whose deadline has passed.
   */
  claim(request: ClaimRequest): Promise<Claims>;
  /** Cancels a queued run, notes the request on a running one, leaves an ended one. @throws RunNotFoundError */
  cancel(id: string, now: number, reason: string | undefined): Promise<CancelledRun>;
  /** Ends an attempt. @throws StaleAttemptError when it is over already, RunNotFoundError */
  settle(id: string, fence: number, now: number, ending: AttemptEnding): Promise<Run>;
  /** Says that these attempts are alive. */
  heartbeat(now: number, beats: readonly Beat[]): Promise<BeatReport>;
  /** Notes down the process that an attempt started. @throws StaleAttemptError, RunNotFoundError */
  noteProcess(id: string, fence: number, process: ProcessIdentity): Promise<void>;
  /** Running runs of other hosts, which are gone: at most `limit` of them. */
  orphaned(limit: number): Promise<readonly Run[]>;
  /** Removes one run that is over. @throws RunNotFoundError, RunNotEndedError */
  delete(id: string): Promise<void>;
  /** Removes ended runs that ended before this moment, at most `limit` of them. @returns their ids */
  remove(endedBefore: number, limit: number): Promise<readonly string[]>;
}
