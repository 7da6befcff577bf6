import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import './dialog.css';

export interface DialogProps {
  readonly label: string;
  /** Asked to close: by Esc, or a click beside it. */
  readonly onClose: () => void;
  readonly isOnTop?: boolean;
  readonly children: ComponentChildren;
}

/** A modal dialog, for as long as it is rendered. */
export function Dialog({ label, onClose, isOnTop = false, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  // At once, so that what is typed next is typed here.
  useLayoutEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog ${isOnTop ? 'top' : ''}`}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      {children}
    </dialog>
  );
}
