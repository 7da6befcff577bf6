import type { AttemptView, RunListView, RunView } from '../api/run-schemas.ts';
import { formatDuration, formatRelative } from './quantities.ts';
import { type Column, formatFields, formatTable } from './table.ts';
import type { Terminal } from './terminal.ts';
import { toOneLine } from './text-width.ts';

/** The runs of a list, one a line. */
export function runTable(runs: readonly RunListView[], terminal: Terminal, now: number): readonly string[] {
  const columns: readonly Column<RunListView>[] = [
    { title: 'RUN', value: ({ id }) => id },
    {
      title: 'STATE',
      value: ({ state }) => state,
      paint: (text, { state }) => paintState(text, state, terminal),
    },
    { title: 'WHAT', value: ({ title }) => title, shrinks: true },
    { title: 'CREATED', value: ({ createdAt }) => formatRelative(createdAt, now) },
    { title: 'TOOK', value: ({ durationMs }) => (durationMs === null ? '-' : formatDuration(durationMs)) },
    { title: 'NOTE', value: noteOf, shrinks: true },
  ];
  return formatTable(columns, runs, terminal);
}

/** A run with its attempts. */
export function runDetails(run: RunView, terminal: Terminal, now: number): readonly string[] {
  const when = (at: string | null): string | null =>
    at === null ? null : `${at} (${formatRelative(at, now)})`;
  const fields = formatFields(
    [
      ['run', run.id],
      ['what', toOneLine(run.title)],
      ['task', run.task],
      ['state', paintState(run.state, run.state, terminal)],
      ['waits for', run.waitingFor],
      ['created', when(run.createdAt)],
      ['not before', run.availableAt === run.createdAt ? null : when(run.availableAt)],
      ['started', when(run.startedAt)],
      ['ended', when(run.endedAt)],
      ['deadline', when(run.deadlineAt)],
      ['took', run.durationMs === null ? null : formatDuration(run.durationMs)],
      ['priority', run.priority === NORMAL_PRIORITY ? null : String(run.priority)],
      ['schedule', run.schedule],
      ['key', run.key],
      ['idempotency key', run.idempotencyKey],
      ['process', run.pid === null ? null : `pid ${run.pid} on ${run.host ?? 'this machine'}`],
      ['progress', describeProgress(run.progress)],
      ['last line', run.lastLine === null ? null : toOneLine(run.lastLine.text)],
      ['exit code', run.exitCode === null ? null : String(run.exitCode)],
      ['signal', run.signal],
      ['cancelled because', run.cancelReason],
      ['error', run.error === null ? null : toOneLine(run.error.message)],
      ['result', run.result === null ? null : JSON.stringify(run.result)],
    ],
    terminal,
  );
  if (run.attempts.length < 2) return fields;
  const columns: readonly Column<AttemptView>[] = [
    { title: 'ATTEMPT', value: ({ number }) => String(number), align: 'right' },
    { title: 'OUTCOME', value: ({ outcome }) => outcome ?? 'running' },
    { title: 'STARTED', value: ({ startedAt }) => formatRelative(startedAt, now) },
    {
      title: 'TOOK',
      value: ({ startedAt, endedAt }) =>
        endedAt === null ? '-' : formatDuration(Date.parse(endedAt) - Date.parse(startedAt)),
    },
    { title: 'ERROR', value: ({ error }) => error?.message ?? '', shrinks: true },
  ];
  return [...fields, '', ...formatTable(columns, run.attempts, terminal)];
}

/** One line about a run that ended or was changed. */
export function runSentence({ id, state, durationMs, error, cancelReason }: RunListView): string {
  const took = durationMs === null ? '' : ` after ${formatDuration(durationMs)}`;
  const why = state === 'cancelled' ? cancelReason : error?.message;
  return `${id} ${state}${took}${why === null || why === undefined ? '' : `: ${toOneLine(why)}`}`;
}

/** `40 %`, `3 of 7`, or what the run said; null for nothing. */
export function describeProgress(progress: unknown): string | null {
  if (progress === null || progress === undefined) return null;
  const fraction = fractionOf(progress);
  const { done, total, message } = progress as Readonly<Record<string, unknown>>;
  const amount =
    typeof done === 'number' && typeof total === 'number'
      ? `${done} of ${total}`
      : fraction === undefined
        ? undefined
        : `${Math.round(fraction * 100)} %`;
  const words = typeof message === 'string' ? toOneLine(message) : undefined;
  if (amount === undefined && words === undefined) return toOneLine(JSON.stringify(progress));
  return [amount, words].filter((part) => part !== undefined).join(', ');
}

/** From 0 to 1, of a number, `{fraction}`, `{percent}` or `{done, total}`. */
export function fractionOf(progress: unknown): number | undefined {
  const { fraction, percent, done, total } = (
    typeof progress === 'number' ? { fraction: progress } : (progress ?? {})
  ) as Readonly<Record<string, unknown>>;
  let share: number | undefined;
  if (typeof fraction === 'number') share = fraction;
  else if (typeof percent === 'number') share = percent / 100;
  else if (typeof done === 'number' && typeof total === 'number' && total > 0) share = done / total;
  return share === undefined || !(share >= 0 && share <= 1) ? undefined : share;
}

const NORMAL_PRIORITY = 2;

function noteOf({ waitingFor, error, cancelReason, lastLine, progress }: RunListView): string {
  const parts = [waitingFor, describeProgress(progress), lastLine?.text, cancelReason, error?.message];
  return parts.find((part) => typeof part === 'string' && part !== '') ?? '';
}

function paintState(text: string, state: RunListView['state'], { colors }: Terminal): string {
  const color = COLORS[state];
  return color === null ? text : colors[color](text);
}

const COLORS: Readonly<Record<RunListView['state'], 'cyan' | 'dim' | 'green' | 'red' | null>> = {
  queued: null,
  running: 'cyan',
  succeeded: 'green',
  cancelled: 'dim',
  failed: 'red',
  'timed-out': 'red',
  lost: 'red',
};
