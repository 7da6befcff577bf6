import type { Clock, Random } from '@pawl/core';
import { retryAfterLoss } from './attempt-ending.ts';
import { attemptMark, endOrphans } from './orphan-processes.ts';
import { toRunFailure } from './run-failure.ts';
import type { Attempt, HostIdentity, LossReceipt, Run } from './run.ts';
import type { RunStore } from './run-store.ts';
import type { ResolvedTask } from './task-definition.ts';
import type { StoreCalls } from './store-calls.ts';
import { AttemptLostError } from './tracking-errors.ts';

export interface RecoveryOptions {
  readonly store: RunStore;
  readonly calls: StoreCalls;
  readonly host: HostIdentity;
  readonly clock: Clock;
  readonly random: Random;
  readonly killGraceMs: number;
  /** Aborts when the tracker stops: what is not recovered by then is left to the next host. */
  readonly signal: AbortSignal;
  readonly findTask: (name: string) => ResolvedTask | undefined;
  /** Told of each recovered run, as it was and as it is. */
  readonly onLost: (before: Run, after: Run, receipt: LossReceipt) => void;
}

const BATCH = 100;

/**
 * Takes over what hosts that are gone left running: ends the processes of each attempt, writes its receipt, and
 * queues the run again or ends it as lost. The processes come first, so that no two attempts of a run ever overlap.
 */
export async function recoverRuns(options: RecoveryOptions): Promise<void> {
  const { store, calls, host, clock, killGraceMs, signal } = options;
  while (!signal.aborted) {
    const runs = await calls.untilDone('list lost runs', () => store.orphaned(BATCH));
    if (runs.length === 0) return;
    const lost = runs.flatMap((run) => {
      const attempt = run.attempts.at(-1);
      return attempt === undefined ? [] : [{ run, attempt }];
    });
    const searches = lost.map(({ run, attempt }) => ({
      mark: attemptMark(attempt.host.id, run.id, attempt.fence),
      process: attempt.host.bootId === host.bootId ? attempt.process : undefined,
    }));
    const ended = await endOrphans(searches, { graceMs: killGraceMs, clock });
    await Promise.all(
      lost.map(({ run, attempt }, index) => settleLost(run, attempt, ended[index] ?? [], options)),
    );
  }
}

async function settleLost(
  run: Run,
  attempt: Attempt,
  endedPids: readonly number[],
  { store, calls, host, clock, random, findTask, onLost }: RecoveryOptions,
): Promise<void> {
  const now = clock.wallTime();
  const receipt: LossReceipt = {
    reason: attempt.host.bootId === host.bootId ? 'host-died' : 'host-rebooted',
    host: attempt.host,
    process: attempt.process,
    lastHeartbeatAt: run.heartbeatAt ?? attempt.startedAt,
    foundAt: now,
    endedPids,
  };
  const who = `process ${attempt.host.pid} on ${attempt.host.name}`;
  const why = receipt.reason === 'host-died' ? `${who} died` : `${who} went down with its machine`;
  const after = await calls.untilDone('end a lost attempt', () =>
    store.settle(run.id, attempt.fence, now, {
      outcome: 'lost',
      error: toRunFailure(new AttemptLostError(run.id, why)),
      receipt,
      retryAt: retryAfterLoss(run, findTask(run.task), now, random),
    }),
  );
  onLost(run, after, receipt);
}
