import { parseAnsi, stripAnsi } from '../../format/ansi.ts';
import { formatClock } from '../../format/time.ts';
import type { ConsoleLine } from './console-buffer.ts';

export interface ConsoleLineProps {
  readonly line: ConsoleLine;
  readonly hasTime: boolean;
  readonly hasColors: boolean;
  /** A text to mark. */
  readonly search: string;
  /** Whether the search stands here. */
  readonly isFound: boolean;
}

export function ConsoleLineView({ line, hasTime, hasColors, search, isFound }: ConsoleLineProps) {
  const { at, stream, level, text } = line;
  const spans = hasColors ? parseAnsi(text) : [{ text: stripAnsi(text), className: '' }];
  return (
    <div class={`console-line ${stream} ${level} ${isFound ? 'is-found' : ''}`} data-stream={stream}>
      {hasTime && <span class="at">{Number.isNaN(at) ? '' : formatClock(at)}</span>}
      <span class="text">
        {spans.map((span, index) => (
          <span key={index} class={span.className}>
            {search === '' ? span.text : marked(span.text, search)}
          </span>
        ))}
      </span>
    </div>
  );
}

function marked(text: string, search: string) {
  const lower = text.toLowerCase();
  const wanted = search.toLowerCase();
  // Some letters grow when they become small; then the places would not fit.
  if (lower.length !== text.length) return text;
  const pieces = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at !== -1; at = lower.indexOf(wanted, from)) {
    pieces.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return [...pieces, text.slice(from)];
}
