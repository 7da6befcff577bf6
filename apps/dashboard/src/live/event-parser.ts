/** One server-sent event. */
export interface ServerEvent {
  /** Of this event or the last one that had one; empty before the first. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

export interface EventParser {
  /** Takes the next piece of the stream, cut anywhere, and gives the events that it completes. */
  push(text: string): readonly ServerEvent[];
}

/** Parses `text/event-stream` (https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6). */
export function createEventParser(): EventParser {
  let rest = '';
  let id = '';
  let type = '';
  let data: string[] = [];
  let endedInReturn = false;
  let isFirst = true;

  function take(line: string, events: ServerEvent[]): void {
    if (line === '') {
      if (data.length > 0) events.push({ id, type: type === '' ? 'message' : type, data: data.join('\n') });
      type = '';
      data = [];
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') type = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
  }

  return {
    push(text) {
      const events: ServerEvent[] = [];
      let piece = text;
      if (isFirst && piece !== '') {
        isFirst = false;
        if (piece.startsWith('\uFEFF')) piece = piece.slice(1);
      }
      // A `\r\n` that was cut in two is one line end.
      if (endedInReturn && piece.startsWith('\n')) piece = piece.slice(1);
      if (text !== '') endedInReturn = text.endsWith('\r');
      const lines = (rest + piece).split(/\r\n|\r|\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) take(line, events);
      return events;
    },
  };
}
