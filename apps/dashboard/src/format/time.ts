const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long: `0.42 s`, `9.1 s`, `2 min 5 s`, `3 h 2 min`, `4 d 1 h`; `–` when it is not known. */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 1) return '0 ms';
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return two(ms, MINUTE, 'min', SECOND, 's');
  if (ms < DAY) return two(ms, HOUR, 'h', MINUTE, 'min');
  return two(ms, DAY, 'd', HOUR, 'h');
}

function two(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  const first = `${Math.floor(ms / large)} ${largeName}`;
  return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}

/** How long ago or ahead: `now`, `12 s ago`, `in 3 min`, `2 h ago`, `5 d ago`. Only the largest unit counts. */
export function formatRelative(at: number, now: number): string {
  const distance = Math.abs(at - now);
  if (distance < SECOND) return 'now';
  const text =
    distance < MINUTE
      ? `${Math.floor(distance / SECOND)} s`
      : distance < HOUR
        ? `${Math.floor(distance / MINUTE)} min`
        : distance < DAY
          ? `${Math.floor(distance / HOUR)} h`
          : `${Math.floor(distance / DAY)} d`;
  return at > now ? `in ${text}` : `${text} ago`;
}

/** How long until then, to the second in the last hour: `4 min 32 s`; `due` when it is over. */
export function formatCountdown(at: number, now: number): string {
  const left = at - now;
  if (left < SECOND) return 'due';
  return formatDuration(left < MINUTE ? Math.floor(left / SECOND) * SECOND : left).replace('.0 s', ' s');
}

const absolute = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
});

/** Date and time in the reader's zone. */
export function formatAbsolute(at: number): string {
  return absolute.format(at);
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** `14:03:27` in the reader's zone. */
export function formatClock(at: number): string {
  return clock.format(at);
}

/** A text of the service with its times as the reader's clocks show them. */
export function localTimes(text: string): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (instant) => formatAbsolute(Date.parse(instant)));
}
