import type { ComponentChildren } from 'preact';
import './state-badge.css';

/** A form for each state, so that its colour is not all that tells it. */
const SHAPES: Readonly<Record<string, ComponentChildren>> = {
  queued: <circle cx="8" cy="8" r="5.5" stroke-dasharray="2.4 2.2" />,
  running: <path class="turning" d="M8 2.5a5.5 5.5 0 1 1-5.2 3.7" />,
  succeeded: <path d="m3 8.5 3.4 3.4L13 5" />,
  failed: <path d="m4 4 8 8m0-8-8 8" />,
  cancelled: <path d="M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M4.2 4.2l7.6 7.6" />,
  'timed-out': <path d="M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 5v3.2l2.2 1.6" />,
  lost: <path d="M5.6 5.8A2.4 2.4 0 1 1 8 8.4v1.4M8 12.6v.2" />,
};

/** A state of a run or attempt, as a sign and a word. */
export function StateBadge({ state, isShort = false }: { state: string; isShort?: boolean }) {
  return (
    <span class={`state state-${state}`} title={isShort ? state : undefined}>
      <svg
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
        aria-hidden="true"
      >
        {SHAPES[state] ?? <circle cx="8" cy="8" r="2.5" />}
      </svg>
      <span class={isShort ? 'unseen' : ''}>{state}</span>
    </span>
  );
}
