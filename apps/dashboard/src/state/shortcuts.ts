import { useEffect, useRef } from 'preact/hooks';

/** What a key, or two after one another such as `g r`, does. */
export interface Shortcut {
  readonly keys: string;
  readonly label: string;
  readonly run: () => void;
}

/** How long the second key may take. */
const SEQUENCE_MS = 1_200;

/** Listens to keys, unless somebody is typing or answers a dialog. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    let before = '';
    let beforeAt = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const sequence = Date.now() - beforeAt < SEQUENCE_MS ? `${before} ${event.key}` : event.key;
      const found =
        latest.current.find(({ keys }) => keys === sequence) ??
        latest.current.find(({ keys }) => keys === event.key);
      before = event.key;
      beforeAt = Date.now();
      if (found === undefined) return;
      before = '';
      event.preventDefault();
      found.run();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}

/** Moves the focus among the rows of the page: the first link or button of each `[data-row]`. */
export function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next =
    at === -1 ? (step === 1 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
  rows[next]?.querySelector<HTMLElement>('a, button')?.focus();
  rows[next]?.scrollIntoView({ block: 'nearest' });
}

/** Puts the focus into the filter of the page. */
export function focusFilter(): void {
  document.querySelector<HTMLElement>('main [data-filter]')?.focus();
}
