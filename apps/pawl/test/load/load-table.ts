import type { Latencies } from './latencies.ts';
import type { LoadReport } from './load.ts';
import type { Tally } from './tally.ts';

const SHARES = [0.5, 0.95, 0.99] as const;

/** A report as Markdown. */
export function loadTables({ alone, loaded, footprints, leaks }: LoadReport): string {
  const rows = {
    answered: [...loaded.answers].map(([kind, count]) => [kind, String(count)]),
    refused: [...loaded.refused].map(([refusal, { count, silent }]) => [
      refusal,
      String(count),
      String(silent),
    ]),
    footprints: footprints.map(({ rssBytes, descriptors, processes, temporary }, index) => [
      index === 0 ? 'before' : index === footprints.length - 1 ? 'after' : `minute ${index}`,
      (rssBytes / 1_048_576).toFixed(0),
      String(descriptors),
      String(processes),
      String(temporary),
    ]),
  };
  const wrong = [...alone.wrong, ...loaded.wrong].map(
    ({ program, got }) =>
      `WRONG: ${program.kind}: ${JSON.stringify({ request: program.request, got }).slice(0, 2_000)}`,
  );
  return [
    `${loaded.sent} programs were sent.`,
    table(['answered', 'count'], rows.answered),
    table(['refused with', 'count', 'without Retry-After'], rows.refused),
    latencyTable(alone, loaded),
    table(['at', 'RSS MB', 'descriptors', 'processes', 'temporary files'], rows.footprints),
    `${wrong.length} wrong answers, ${leaks.length} leaks.`,
    ...wrong.slice(0, 20),
    ...leaks.map((leak) => `LEAK: ${leak}`),
  ].join('\n\n');
}

/** One line on how it goes. */
export function progressLine({ loaded, footprints }: LoadReport): string {
  const { sent, wrong, refused, endToEnd } = loaded;
  const shed = [...refused].map(([refusal, { count }]) => `, ${count} × ${refusal}`).join('');
  const latencies = SHARES.map((share) => figure(endToEnd.quantile(share))).join(' / ');
  const now = footprints.at(-1);
  const holds =
    now === undefined
      ? ''
      : `; ${(now.rssBytes / 1_048_576).toFixed(0)} MB, ${now.descriptors} descriptors, ${now.processes} processes`;
  const minute = footprints.length - 1;
  return `minute ${minute}: ${sent} sent, ${wrong.length} wrong${shed}; good ones took ${latencies} ms${holds}`;
}

function latencyTable(alone: Tally, loaded: Tally): string {
  const quantiles = (latencies: Latencies, kind?: string): readonly number[] =>
    SHARES.map((share) => latencies.quantile(share, kind));
  const row = (name: string, kind?: string): readonly string[] => {
    const before = quantiles(alone.endToEnd, kind);
    const under = quantiles(loaded.endToEnd, kind);
    const ratios = under.map((ms, index) => ms / (before[index] ?? Number.NaN));
    return [
      name,
      before,
      under,
      ratios,
      quantiles(loaded.inService, kind),
      quantiles(loaded.inSandbox, kind),
    ].map((cell) => (typeof cell === 'string' ? cell : cell.map(figure).join(' / ')));
  };
  const head = ['p50 / p95 / p99 ms', 'alone', 'under load', 'ratio', 'in the service', 'in the sandbox'];
  return table(head, [...loaded.endToEnd.kinds().map((kind) => row(kind, kind)), row('all good ones')]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function figure(value: number): string {
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}
