import cliProgress from 'cli-progress';
import type { RunListView } from '../api/run-schemas.ts';
import { formatDuration } from './quantities.ts';
import { describeProgress, fractionOf } from './run-lines.ts';
import { terminalOf } from './terminal.ts';
import { toOneLine, truncate } from './text-width.ts';

/** One line that tells how far a run is, and is gone at the end. Nothing where it is no terminal. */
export interface ProgressLine {
  readonly isShown: boolean;
  show(run: RunListView): void;
  close(): void;
}

const BAR_COLUMNS = 24;

export function openProgressLine(stream: NodeJS.WriteStream): ProgressLine {
  const { isTerminal, width } = terminalOf(stream);
  if (!isTerminal) return { isShown: false, show: () => undefined, close: () => undefined };
  const bar = new cliProgress.SingleBar({
    stream,
    barsize: BAR_COLUMNS,
    clearOnComplete: true,
    // Its own handler would end the command.
    gracefulExit: false,
    format: (options, { progress }, { run }: { readonly run?: RunListView }) => {
      if (run === undefined) return '';
      const isKnown = fractionOf(run.progress) !== undefined;
      const drawn = isKnown ? `${cliProgress.Format.BarFormat(progress, options)} ` : '';
      return drawn + truncate(describe(run), width - 1 - (isKnown ? BAR_COLUMNS + 1 : 0));
    },
  });
  bar.start(1, 0, {});
  return {
    isShown: true,
    show: (run) => bar.update(fractionOf(run.progress) ?? 0, { run }),
    close: () => bar.stop(),
  };
}

function describe({ title, state, waitingFor, progress, durationMs, lastLine }: RunListView): string {
  const parts = [
    describeProgress(progress),
    state,
    durationMs === null ? null : formatDuration(durationMs),
    toOneLine(title),
    waitingFor,
    lastLine === null ? null : toOneLine(lastLine.text),
  ];
  return parts.filter((part) => part !== null && part !== '').join(' · ');
}
