import { formatAbsolute, formatCountdown, formatDuration, formatRelative } from '../format/time.ts';
import { useApp } from '../state/app.ts';
import { useStore } from '../state/store.ts';

/** `3 min ago`, with date and time for the one who looks closer. */
export function Ago({ at }: { at: string | null | undefined }) {
  const now = useStore(useApp().now);
  if (at === null || at === undefined) return <span class="muted">–</span>;
  const ms = Date.parse(at);
  return (
    <time class="nowrap" dateTime={at} title={formatAbsolute(ms)}>
      {formatRelative(ms, now)}
    </time>
  );
}

/** `4 min 32 s`, counting down. */
export function Countdown({ at }: { at: string }) {
  const now = useStore(useApp().now);
  const ms = Date.parse(at);
  return (
    <time class="nowrap" dateTime={at} title={formatAbsolute(ms)}>
      {formatCountdown(ms, now)}
    </time>
  );
}

/** How long something took, or has taken so far. */
export function Elapsed({ from, to }: { from: string | null; to: string | null }) {
  const now = useStore(useApp().now);
  if (from === null) return <span class="muted">–</span>;
  const end = to === null ? Math.max(now, Date.parse(from)) : Date.parse(to);
  const ms = end - Date.parse(from);
  // Tenths of a second would jump: it counts in whole ones.
  const text = formatDuration(to === null && ms > 1_000 ? Math.floor(ms / 1_000) * 1_000 : ms);
  return <span class="nowrap">{to === null ? text.replace('.0 s', ' s') : text}</span>;
}
