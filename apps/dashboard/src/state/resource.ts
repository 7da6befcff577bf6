import { type Inputs, useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { AwayError } from '../api/http.ts';
import { useApp } from './app.ts';

/** What was read from the service. */
export interface Resource<Value> {
  /** Undefined until it was read once. */
  readonly value: Value | undefined;
  /** Why it could not be read; undefined once it was. */
  readonly error: Error | undefined;
  /** Reads it again. */
  readonly reload: () => void;
  /** Changes it at once by what is known of it, until it is read again. */
  readonly patch: (change: (value: Value) => Value) => void;
}

export interface ResourceOptions {
  /** Reads it again in this rhythm, as long as the page is seen. */
  readonly everyMs?: number;
  /** Whether there is anything to read at the moment. @default true */
  readonly isWanted?: boolean;
}

/** Reads something, and again when an input changes or the service was away. */
export function useResource<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  inputs: Inputs,
  { everyMs, isWanted = true }: ResourceOptions = {},
): Resource<Value> {
  const { live, session } = useApp();
  const [state, setState] = useState<{ value?: Value; error?: Error }>({});
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const isReading = useRef(false);
  const reload = useCallback(() => setRound((count) => count + 1), []);

  // What was read for other inputs is not shown for these.
  useEffect(() => setState({}), inputs);

  useEffect(() => {
    if (!isWanted) return undefined;
    const reading = new AbortController();
    isReading.current = true;
    latest.current(reading.signal).then(
      (value) => {
        if (reading.signal.aborted) return;
        isReading.current = false;
        setState({ value });
      },
      (error: unknown) => {
        if (reading.signal.aborted) return;
        isReading.current = false;
        // A banner says so; what was read before is still the best there is.
        if (error instanceof AwayError) return;
        setState((known) => ({ ...known, error: error as Error }));
      },
    );
    return () => reading.abort();
  }, [...inputs, round, isWanted]);

  useEffect(() => live.onReset(reload), [live]);
  useEffect(() => session.token.subscribe(reload), [session]);

  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => {
      // A slow answer is waited for.
      if (!document.hidden && !isReading.current && live.connection.get() !== 'away') reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);

  const patch = useCallback((change: (value: Value) => Value) => {
    setState((known) => (known.value === undefined ? known : { ...known, value: change(known.value) }));
  }, []);
  return { value: state.value, error: state.error, reload, patch };
}
