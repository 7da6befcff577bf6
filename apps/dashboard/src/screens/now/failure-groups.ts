import type { RunSummary } from '../../api/runs.ts';
import { shortError } from '../../format/short-error.ts';

/** Runs that ended for the same reason. */
export interface FailureGroup {
  /** What they have in common. */
  readonly fingerprint: string;
  /** The latest one's error, in its own words. */
  readonly text: string;
  /** Newest first. */
  readonly runs: readonly RunSummary[];
}

/** Groups failures whose errors differ in numbers, ids and paths alone; the largest group first. */
export function groupFailures(failures: readonly RunSummary[]): readonly FailureGroup[] {
  const groups = new Map<string, { text: string; runs: RunSummary[] }>();
  for (const run of failures) {
    const text = run.error === null ? run.state : shortError(run.error.message);
    const fingerprint = `${run.state} ${run.error?.code ?? run.error?.name ?? ''} ${plain(text)}`;
    const group = groups.get(fingerprint);
    if (group === undefined) groups.set(fingerprint, { text, runs: [run] });
    else group.runs.push(run);
  }
  return [...groups]
    .map(([fingerprint, group]) => ({ fingerprint, ...group }))
    .toSorted((a, b) => b.runs.length - a.runs.length);
}

function plain(text: string): string {
  return text
    .replaceAll(/run_\w+/g, '<run>')
    .replaceAll(/(?:\/[\w.@-]+){2,}/g, '<path>')
    .replaceAll(/\b0x[\da-f]+\b|\b[\da-f]{8,}\b/gi, '<id>')
    .replaceAll(/\d+(?:\.\d+)?/g, '<n>');
}
