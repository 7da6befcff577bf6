import type { ScheduleView, SlotView } from '../api/schedule-schemas.ts';
import { formatRelative } from './quantities.ts';
import { type Column, formatFields, formatTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** The schedules, one a line. */
export function scheduleTable(
  schedules: readonly ScheduleView[],
  terminal: Terminal,
  now: number,
): readonly string[] {
  const columns: readonly Column<ScheduleView>[] = [
    { title: 'SCHEDULE', value: ({ id }) => id },
    { title: 'WHEN', value: ({ inWords }) => inWords, shrinks: true },
    { title: 'NEXT', value: (schedule) => nextOf(schedule, now) },
    { title: 'LAST', value: ({ lastRuns }) => lastRuns[0]?.state ?? '-' },
    { title: 'RUNS', value: ({ runs }) => String(runs), align: 'right' },
    { title: 'NOTE', value: noteOf, shrinks: true },
  ];
  return formatTable(columns, schedules, terminal);
}

/** A schedule with its last runs. */
export function scheduleDetails(schedule: ScheduleView, terminal: Terminal, now: number): readonly string[] {
  const { id, inWords, nextAt, nextNote, skipsAt, lastSlotAt, pause, runs } = schedule;
  const fields = formatFields(
    [
      ['schedule', id],
      ['when', inWords],
      ['next', nextAt === null ? nextOf(schedule, now) : `${nextAt} (${formatRelative(nextAt, now)})`],
      ['note', nextNote],
      ['skips', skipsAt],
      ['paused because', pause?.reason],
      ['problem', schedule.problem?.message],
      ['last time', lastSlotAt],
      ['running', String(schedule.running)],
      ['waiting', String(schedule.waiting)],
      ['runs', String(runs)],
      ['failures in a row', String(schedule.failuresInARow)],
    ],
    terminal,
  );
  if (schedule.lastRuns.length === 0) return fields;
  const columns: readonly Column<ScheduleView['lastRuns'][number]>[] = [
    { title: 'RUN', value: ({ runId }) => runId },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'STARTED', value: ({ at }) => formatRelative(at, now) },
  ];
  return [...fields, '', ...formatTable(columns, schedule.lastRuns, terminal)];
}

/** When a schedule will run, one a line. */
export function slotTable(slots: readonly SlotView[], terminal: Terminal, now: number): readonly string[] {
  const columns: readonly Column<SlotView>[] = [
    { title: 'LOCAL TIME', value: ({ local }) => local },
    { title: 'UTC', value: ({ dueAt }) => dueAt },
    { title: 'WHEN', value: ({ dueAt }) => formatRelative(dueAt, now) },
    { title: 'NOTE', value: ({ notes }) => notes.join(' ') },
  ];
  return formatTable(columns, slots, terminal);
}

function nextOf({ nextAt, pause, ended }: ScheduleView, now: number): string {
  if (pause !== null) return 'paused';
  return ended ? 'ended' : formatRelative(nextAt, now);
}

function noteOf({ pause, problem, nextNote, failuresInARow, skipsAt }: ScheduleView): string {
  if (pause !== null) return pause.reason;
  if (problem !== null) return problem.message;
  if (skipsAt !== null) return `skips ${skipsAt}`;
  return nextNote ?? (failuresInARow > 1 ? `${failuresInARow} failures in a row` : '');
}
