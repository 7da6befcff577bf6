import { type Clock, createDeferred, linkAbort, type Logger, onAbort } from '@pawl/core';
import type { ProcessHandle, ProcessManager } from '@pawl/runtime';
import { ATTEMPT_VARIABLE, attemptMark } from './orphan-processes.ts';
import { processStartTime } from './process-identity.ts';
import type { ProcessIdentity, Run } from './run.ts';
import { toJson } from './run-spec.ts';
import type { Beat } from './run-transitions.ts';
import type { ResolvedTask, RunContext } from './task-definition.ts';
import { AttemptLostError, AttemptTimeoutError, RunDeadlineError } from './tracking-errors.ts';

/** What came of the code of an attempt. */
export interface AttemptEnd {
  readonly result: unknown;
  /** What it threw, which may be anything; undefined if it gave a result. */
  readonly failure: { readonly error: unknown } | undefined;
  /** The reason of its signal, if it aborted: then it ended for that, whatever it gave. */
  readonly abortedBy: unknown;
  /** It did not end in time after its signal aborted: nobody knows what it still does. */
  readonly isAbandoned: boolean;
}

/** An attempt under way. */
export interface LiveAttempt {
  readonly run: Run;
  readonly startedAt: number;
  /** Asks it to end. The first reason counts. */
  abort(reason: Error): void;
  /** What it says of itself since the last time it was asked. */
  takeBeat(): Beat;
  /** Resolves when it has ended, or was abandoned. Never rejects. */
  readonly ended: Promise<AttemptEnd>;
  /** Resolves when its code and its processes have really ended. */
  readonly released: Promise<void>;
}

export interface AttemptRunnerOptions {
  readonly processes: ProcessManager;
  /** Never rejects. */
  readonly noteProcess: (run: Run, process: ProcessIdentity) => Promise<void>;
  readonly hostId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly killGraceMs: number;
  readonly abandonAfterMs: number;
  readonly maxPayloadBytes: number;
}

/** Runs the code of one attempt within its limits. It knows nothing of states, retries or the store. */
export function beginAttempt(run: Run, task: ResolvedTask, options: AttemptRunnerOptions): LiveAttempt {
  const { clock, abandonAfterMs, maxPayloadBytes } = options;
  const abort = linkAbort();
  const mark = attemptMark(options.hostId, run.id, run.fence);
  const number = run.attempts.at(-1)?.number ?? 1;
  const ended = createDeferred<AttemptEnd>();
  const children = new Set<ProcessHandle>();
  const notes: Promise<void>[] = [];
  let isOver = false;
  let beat: { readonly progress?: unknown } = {};

  const limits = [
    clock.setTimer(run.timeoutMs, () =>
      abort.abort(new AttemptTimeoutError(run.id, number, run.maxAttempts, run.timeoutMs)),
    ),
    clock.setTimer((run.deadlineAt ?? Infinity) - clock.wallTime(), () =>
      abort.abort(new RunDeadlineError(run.id, 'running')),
    ),
  ];
  const watchSilence = () =>
    clock.setTimer(task.heartbeatTimeoutMs, () =>
      abort.abort(new AttemptLostError(run.id, `no heartbeat for ${task.heartbeatTimeoutMs} ms`)),
    );
  let silence = watchSilence();
  let abandonment = clock.setTimer(Infinity, () => undefined);
  onAbort(abort.signal, (abortedBy) => {
    abandonment = clock.setTimer(abandonAfterMs, () =>
      ended.resolve({ result: undefined, failure: undefined, abortedBy, isAbandoned: true }),
    );
  });

  const endChild = (handle: ProcessHandle): void =>
    void handle.terminate({ graceMs: options.killGraceMs }).catch(() => undefined);

  const context: RunContext = {
    signal: abort.signal,
    run,
    runId: run.id,
    attempt: number,
    fence: run.fence,
    heartbeat(...progress) {
      if (isOver) return;
      if (progress.length > 0)
        beat = { progress: toJson('progress', progress[0] ?? null, maxPayloadBytes, 'PROGRESS_TOO_LARGE') };
      silence.cancel();
      silence = watchSilence();
    },
    spawn: async (config) => {
      abort.signal.throwIfAborted();
      const handle = await options.processes.spawn({
        ...config,
        env: { ...config.env, [ATTEMPT_VARIABLE]: mark },
      });
      children.add(handle);
      // The code may have ended without waiting for its process.
      if (isOver) endChild(handle);
      const forget = onAbort(abort.signal, () => endChild(handle));
      void handle.released.then(() => {
        forget();
        children.delete(handle);
      });
      // Not waited for here: Node throws away what a process prints if it ends before somebody reads.
      notes.push(options.noteProcess(run, { pid: handle.pid, startTime: processStartTime(handle.pid) }));
      return handle;
    },
  };

  async function perform(): Promise<void> {
    let end: Pick<AttemptEnd, 'result' | 'failure'>;
    try {
      const result = (await task.execute(run, context)) ?? null;
      end = { result: toJson('result', result, maxPayloadBytes, 'RESULT_TOO_LARGE'), failure: undefined };
    } catch (error) {
      end = { result: undefined, failure: { error } };
    }
    isOver = true;
    for (const limit of limits) limit.cancel();
    silence.cancel();
    // A process that the code left behind ends with its attempt.
    for (const child of children) endChild(child);
    await Promise.all([...notes, ...[...children].map((child) => child.released)]);
    abandonment.cancel();
    const { aborted, reason } = abort.signal;
    ended.resolve({ ...end, abortedBy: aborted ? reason : undefined, isAbandoned: false });
  }

  return {
    run,
    startedAt: clock.now(),
    abort: (reason) => abort.abort(reason),
    takeBeat() {
      const taken = { id: run.id, fence: run.fence, ...beat };
      beat = {};
      return taken;
    },
    ended: ended.promise,
    released: perform(),
  };
}
