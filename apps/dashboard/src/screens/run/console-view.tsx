import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ConsoleLineView } from './console-line.tsx';
import { createLineLayout } from './line-layout.ts';
import type { RunLog } from './run-log.ts';

/** In pixels; `console.css` says the same. */
const ROW_HEIGHT = 18;
/** Rows rendered above and below what is seen. */
const MARGIN_ROWS = 20;
const TIME_COLUMNS = 10;
/** Of both sides, in pixels. */
const PADDING = 24;

export interface ConsoleViewProps {
  readonly log: RunLog;
  readonly follows: boolean;
  readonly onFollow: (follows: boolean) => void;
  readonly wraps: boolean;
  readonly hasTime: boolean;
  readonly hasColors: boolean;
  readonly search: string;
  /** The line the search stands on, if there is one; a new `jump` brings it into view. */
  readonly found: number | undefined;
  readonly jump: number;
}

/** Lines of a log, of which only those in view are in the page: 100,000 scroll as smoothly as ten. */
export function ConsoleView(props: ConsoleViewProps) {
  const { log, follows, onFollow, wraps, hasTime, hasColors, search, found, jump } = props;
  const { shown, generation } = log.buffer;
  const view = useRef<HTMLDivElement>(null);
  const ruler = useRef<HTMLSpanElement>(null);
  const [{ top, height, columns }, setFrame] = useState({ top: 0, height: 600, columns: 80 });
  const layout = useMemo(createLineLayout, [log.buffer]);

  const usable = Math.max(20, columns - (hasTime ? TIME_COLUMNS : 0));
  layout.update(shown, generation, wraps ? usable : Infinity);

  const measure = (): void => {
    const element = view.current;
    if (element === null) return;
    const characterWidth = (ruler.current?.getBoundingClientRect().width ?? 720) / 100;
    const fits = Math.floor((element.clientWidth - PADDING) / characterWidth);
    setFrame({ top: element.scrollTop, height: element.clientHeight, columns: fits });
  };

  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (view.current !== null) observer.observe(view.current);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    if (follows && view.current !== null) view.current.scrollTop = layout.rows * ROW_HEIGHT;
  }, [follows, log.version, generation, layout.rows]);

  useLayoutEffect(() => {
    if (found === undefined || view.current === null) return;
    view.current.scrollTop = Math.max(0, layout.rowOf(found) * ROW_HEIGHT - view.current.clientHeight / 3);
  }, [found, jump]);

  const first = layout.lineAt(Math.max(0, Math.floor(top / ROW_HEIGHT) - MARGIN_ROWS));
  const last = layout.lineAt(Math.ceil((top + height) / ROW_HEIGHT) + MARGIN_ROWS);
  const offset = layout.rowOf(first) * ROW_HEIGHT;

  function onScroll(): void {
    measure();
    const element = view.current;
    if (element === null) return;
    const isAtEnd = element.scrollTop + element.clientHeight >= layout.rows * ROW_HEIGHT - ROW_HEIGHT;
    if (follows && !isAtEnd && element.scrollTop < top) onFollow(false);
  }

  return (
    <div
      ref={view}
      class={`console-view ${wraps ? 'wraps' : ''}`}
      style={{ '--rows': layout.rows }}
      tabIndex={0}
      role="region"
      aria-label="Output"
      onScroll={onScroll}
    >
      <span ref={ruler} class="ruler" aria-hidden="true">
        {'0'.repeat(100)}
      </span>
      <div style={{ height: `${layout.rows * ROW_HEIGHT}px` }}>
        <div class="console-lines" style={{ transform: `translateY(${offset}px)` }}>
          {shown.slice(first, last + 1).map((line, index) => (
            <ConsoleLineView
              key={first + index}
              line={line}
              hasTime={hasTime}
              hasColors={hasColors}
              search={search}
              isFound={first + index === found}
            />
          ))}
        </div>
      </div>
      {shown.length === 0 && (
        <p class="console-status">
          {log.error?.message ?? (log.isComplete ? 'It printed nothing.' : 'Nothing was printed yet.')}
        </p>
      )}
    </div>
  );
}
