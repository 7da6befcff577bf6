import type { ComponentChildren } from 'preact';
import type { RunSummary } from '../api/runs.ts';
import { stripAnsi } from '../format/ansi.ts';
import { hrefOf } from '../state/router.ts';
import './run-title.css';

/** What people recognise a run by, as the way to it; below, what it printed last while it runs. */
export function RunTitle({ run, note }: { run: RunSummary; note?: ComponentChildren }) {
  const { id, title, lastLine } = run;
  return (
    <div class="run-title">
      <a class="cut" href={hrefOf(`/runs/${id}`)} title={title}>
        {title}
      </a>
      {note !== undefined && note !== null && <span class="small muted cut">{note}</span>}
      {note === undefined && lastLine !== null && (
        <span class={`last-line cut ${lastLine.stream}`} title={lastLine.text}>
          {stripAnsi(lastLine.text)}
        </span>
      )}
    </div>
  );
}
