import { useEffect, useMemo, useState } from 'preact/hooks';
import type { LogLine } from '../../api/runs.ts';
import { formatBytes } from '../../format/bytes.ts';
import type { ServerEvent } from '../../live/event-parser.ts';
import { follow } from '../../live/follow.ts';
import { useApp } from '../../state/app.ts';
import { type ConsoleBuffer, type ConsoleLine, createConsoleBuffer } from './console-buffer.ts';

export interface RunLog {
  readonly buffer: ConsoleBuffer;
  /** Rises with every change of the buffer. */
  readonly version: number;
  /** Whether nothing more comes. */
  readonly isComplete: boolean;
  /** Why nothing can be read. */
  readonly error: Error | undefined;
}

/** Follows the output of an attempt. Another `fence` begins anew. */
export function useRunLog(runId: string, attempt: number, fence: number): RunLog {
  const { api } = useApp();
  const buffer = useMemo(() => createConsoleBuffer(), [runId, fence]);
  const [version, setVersion] = useState(0);
  const [isComplete, setComplete] = useState(false);
  const [error, setError] = useState<Error | undefined>(undefined);

  useEffect(() => {
    const following = new AbortController();
    let frame = 0;
    setComplete(false);
    setError(undefined);
    buffer.clear();
    follow({
      open: async (lastEventId, signal) => api.runs.openLog(runId, attempt, lastEventId, signal),
      onEvents(events) {
        buffer.push(events.flatMap(toLine));
        if (frame === 0) {
          frame = requestAnimationFrame(() => {
            frame = 0;
            setVersion((count) => count + 1);
          });
        }
        return events.some(({ type }) => type === 'complete');
      },
      signal: following.signal,
    }).then(() => {
      if (!following.signal.aborted) setComplete(true);
    }, setError);
    return () => {
      following.abort();
      cancelAnimationFrame(frame);
    };
  }, [api, buffer, runId, attempt]);
  return { buffer, version, isComplete, error };
}

function toLine({ type, data }: ServerEvent): readonly ConsoleLine[] {
  if (type === 'entry') {
    const { at, stream, level, text } = JSON.parse(data) as LogLine;
    return [{ at: Date.parse(at), stream, level, text }];
  }
  if (type === 'dropped') {
    const { bytes } = JSON.parse(data) as { bytes: number };
    const text = `${formatBytes(bytes)} of older output are no longer kept.`;
    return [{ at: Number.NaN, stream: 'note', level: 'INFO', text }];
  }
  return [];
}
