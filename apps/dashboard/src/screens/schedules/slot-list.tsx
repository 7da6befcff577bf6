import type { Slot } from '../../api/schedules.ts';
import { Ago } from '../../ui/time.tsx';

const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short', timeZone: 'UTC' });

/** `Sun 2026-03-08 02:30 -05:00`: seconds only where there are some. */
function localText(local: string): string {
  const [, day = '', time = '', zone = ''] = /^(.{10})T(.{8})(.*)$/.exec(local) ?? [];
  return `${weekday.format(new Date(day))} ${day} ${time.replace(/:00$/, '')} ${zone}`;
}

/** Slots to come, by the clocks of their zone, with what clock changes do to them. */
export function SlotList({ slots }: { slots: readonly Slot[] }) {
  if (slots.length === 0) return <p class="muted">There are none.</p>;
  return (
    <ol class="slots">
      {slots.map(({ nominalAt, dueAt, local, notes, skipped }) => (
        <li key={nominalAt} class={skipped ? 'is-skipped' : ''}>
          <span class="mono">{localText(local)}</span>
          <span class="small muted">{skipped ? 'skipped' : <Ago at={dueAt} />}</span>
          {notes.map((note) => (
            <span key={note} class="note">
              {note}
            </span>
          ))}
        </li>
      ))}
    </ol>
  );
}
