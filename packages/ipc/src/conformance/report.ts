import type { Report, Verdict } from './kit.ts';

type Status = Verdict['status'];

const COUNTED: readonly (readonly [Status, string])[] = [
  ['pass', 'passed'],
  ['fail', 'failed'],
  ['warn', 'warned'],
  ['not offered', 'not offered'],
  ['skipped', 'skipped'],
];

/** For people: a line for each rule, by section, and under a broken one why and the bytes. */
export function textReport(report: Report): string {
  const lines: string[] = [];
  const width = Math.max(...report.verdicts.map(({ rule }) => rule.id.length));
  let section: string | undefined;
  for (const { rule, status, reason, exchange = [] } of report.verdicts) {
    if (rule.section !== section) {
      section = rule.section;
      lines.push(...(lines.length > 0 ? [''] : []), section);
    }
    const isBroken = status === 'fail' || status === 'warn';
    const why = !isBroken && reason !== undefined ? ` (${reason})` : '';
    lines.push(`  ${status.padEnd(12)}${rule.id.padEnd(width + 2)}${rule.says}${why}`);
    if (isBroken) lines.push(`    ${reason ?? ''}`, ...exchange.map((line) => `      ${line}`));
  }
  const counts = COUNTED.map(([status, word]) => `${count(report, status)} ${word}`).join(', ');
  return `${lines.join('\n')}\n\n${counts} in ${(report.durationMs / 1_000).toFixed(1)} s\n`;
}

/** For programs: one JSON document. */
export function jsonReport(report: Report): string {
  const { command, channel, hello, durationMs, verdicts } = report;
  const document = {
    command,
    channel,
    hello: hello ?? null,
    durationMs,
    counts: Object.fromEntries(COUNTED.map(([status]) => [status, count(report, status)])),
    rules: verdicts.map(({ rule, status, reason, exchange }) => ({
      id: rule.id,
      section: rule.section,
      level: rule.level ?? 'must',
      says: rule.says,
      status,
      reason,
      exchange,
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

export function count({ verdicts }: Report, status: Status): number {
  return verdicts.filter((verdict) => verdict.status === status).length;
}
