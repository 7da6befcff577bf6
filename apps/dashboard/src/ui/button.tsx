import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useApp } from '../state/app.ts';
import './button.css';

export interface ButtonProps {
  readonly children: ComponentChildren;
  /** What it does. While its promise is open it is not done again; a rejection is told in a toast. */
  readonly onClick: () => unknown;
  /** The row of the table of actions. */
  readonly 'data-action'?: string;
  readonly kind?: 'primary' | 'danger' | 'quiet';
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly title?: string;
  /** The name for those who do not see it, where its text does not say it all; the text is part of it. */
  readonly label?: string;
}

export function Button({ children, onClick, kind, disabled, pressed, title, label, ...rest }: ButtonProps) {
  const { toasts } = useApp();
  const [isBusy, setBusy] = useState(false);

  async function click(): Promise<void> {
    if (isBusy) return;
    setBusy(true);
    try {
      await onClick();
    } catch (error) {
      toasts.error(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <button
      {...rest}
      type="button"
      class={`button ${kind ?? ''}`}
      disabled={disabled}
      aria-busy={isBusy}
      aria-pressed={pressed}
      aria-label={label}
      title={title}
      onClick={() => void click()}
    >
      {children}
    </button>
  );
}
