/**
 * The life of a worker as its pool sees it.
 *
 * ```text
 * starting ─▶ ready ◀─▶ busy
 *    │          │         │
 *    ▼          ▼         ▼
 *  failed    draining ◀───┘        any state but the last two ─▶ stopped | failed
 *               │
 *               ▼
 *            stopped
 * ```
 *
 * `failed` is an end nobody asked for: a start that went wrong, or a crash.
 */
export type WorkerState = 'starting' | 'ready' | 'busy' | 'draining' | 'stopped' | 'failed';

const MOVES: Readonly<Record<WorkerState, readonly WorkerState[]>> = {
  starting: ['ready', 'draining', 'stopped', 'failed'],
  ready: ['busy', 'draining', 'stopped', 'failed'],
  busy: ['ready', 'draining', 'stopped', 'failed'],
  draining: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

/** Whether a worker may go from one state to the other. */
export function canMove(from: WorkerState, to: WorkerState): boolean {
  return MOVES[from].includes(to);
}
