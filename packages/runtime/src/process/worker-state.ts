/**
 * The life of a worker as its pool sees it.
 *
 * ```text
 * starting ─▶ ready ◀─▶ busy
 *    │          │         │
 *    ▼          ▼         ▼
 *  failed    draining | unresponsive     any state but the last two ─▶ stopped | failed
 *               │
 *               ▼
 *            stopped
 * ```
 *
 * `unresponsive` gave no sign of life to a row of pings, and is being killed. `failed` is an end nobody asked for: a
 * start that went wrong, or a crash.
 */
export type WorkerState = 'starting' | 'ready' | 'busy' | 'draining' | 'unresponsive' | 'stopped' | 'failed';

const MOVES: Readonly<Record<WorkerState, readonly WorkerState[]>> = {
  starting: ['ready', 'draining', 'stopped', 'failed'],
  ready: ['busy', 'draining', 'unresponsive', 'stopped', 'failed'],
  busy: ['ready', 'draining', 'unresponsive', 'stopped', 'failed'],
  draining: ['stopped', 'failed'],
  unresponsive: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

/** Whether a worker may go from one state to the other. */
export function canMove(from: WorkerState, to: WorkerState): boolean {
  return MOVES[from].includes(to);
}
