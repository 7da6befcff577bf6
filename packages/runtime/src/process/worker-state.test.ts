import { expect, it } from 'vitest';
import { canMove, type WorkerState } from './worker-state.ts';

const STATES: readonly WorkerState[] = [
  'starting',
  'ready',
  'busy',
  'draining',
  'unresponsive',
  'stopped',
  'failed',
];

it('allows the moves of the picture and no others', () => {
  const moves = STATES.flatMap((from) =>
    STATES.filter((to) => canMove(from, to)).map((to) => `${from} → ${to}`),
  );
  expect(moves).toEqual([
    'starting → ready',
    'starting → draining',
    'starting → stopped',
    'starting → failed',
    'ready → busy',
    'ready → draining',
    'ready → unresponsive',
    'ready → stopped',
    'ready → failed',
    'busy → ready',
    'busy → draining',
    'busy → unresponsive',
    'busy → stopped',
    'busy → failed',
    'draining → stopped',
    'draining → failed',
    'unresponsive → stopped',
    'unresponsive → failed',
  ]);
});
