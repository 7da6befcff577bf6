import { createStore, type Store } from './store.ts';

export interface Toast {
  readonly id: number;
  readonly kind: 'done' | 'error';
  readonly text: string;
  /** Faults of single fields. */
  readonly details: readonly string[];
  /** What a click on its button does, such as to undo. */
  readonly act: { readonly label: string; readonly run: () => void } | undefined;
}

export interface Toasts {
  readonly all: Store<readonly Toast[]>;
  done(text: string, act?: Toast['act']): void;
  /** Says what went wrong in the problem's own words. It stays until it is closed. */
  readonly error: (error: unknown) => void;
  close(id: number): void;
}

const DONE_MS = 6_000;
const DONE_WITH_ACT_MS = 12_000;
const MAX_TOASTS = 4;

export function createToasts(): Toasts {
  const all = createStore<readonly Toast[]>([]);
  let lastId = 0;
  const close = (id: number): void => all.update((toasts) => toasts.filter((toast) => toast.id !== id));

  function add(toast: Omit<Toast, 'id'>): number {
    lastId += 1;
    const id = lastId;
    all.update((toasts) => [...toasts.slice(1 - MAX_TOASTS), { ...toast, id }]);
    return id;
  }

  return {
    all,
    close,
    done(text, act) {
      const id = add({ kind: 'done', text, details: [], act });
      setTimeout(() => close(id), act === undefined ? DONE_MS : DONE_WITH_ACT_MS);
    },
    error(error) {
      const { message, faults = [] } = error as { message: string; faults?: readonly { message: string }[] };
      const details = faults.map((fault) => fault.message).filter((text) => text !== message);
      add({ kind: 'error', text: message, details, act: undefined });
    },
  };
}
