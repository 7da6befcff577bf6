import type { ComponentChildren } from 'preact';
import { useEffect, useId } from 'preact/hooks';
import './panel.css';

export interface PanelProps {
  readonly title: ComponentChildren;
  /** How many there are, beside the title. */
  readonly count?: ComponentChildren;
  readonly tools?: ComponentChildren;
  /** Lets a table reach the edges. */
  readonly isFlush?: boolean;
  /** The row of the table of actions that it shows. */
  readonly 'data-action'?: string;
  readonly children: ComponentChildren;
}

/** A part of a screen with a heading of its own. */
export function Panel({ title, count, tools, isFlush = false, children, ...rest }: PanelProps) {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id} {...rest}>
      <header>
        <h2 id={id}>
          {title}
          {count !== undefined && <span class="count">{count}</span>}
        </h2>
        {tools !== undefined && <div class="row">{tools}</div>}
      </header>
      <div class={`body ${isFlush ? 'flush' : ''}`}>{children}</div>
    </section>
  );
}

export interface ScreenProps {
  /** What the tab of the browser says. */
  readonly name: string;
  readonly title?: ComponentChildren;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A page of the dashboard. */
export function Screen({ name, title, tools, children }: ScreenProps) {
  useEffect(() => {
    document.title = `${name} · Pawl`;
  }, [name]);
  return (
    <div class="screen">
      <header>
        <h1 tabIndex={-1}>{title ?? name}</h1>
        {tools !== undefined && <div class="row">{tools}</div>}
      </header>
      {children}
    </div>
  );
}
