import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readConfig } from '../../config.ts';
import { type Measurement, measurePool, measurePython, measureService } from '../measurements.ts';
import { untilInterrupted } from '../interrupt.ts';
import { note, print, printJson } from '../output.ts';
import { withExamples } from '../service-command.ts';
import { formatTable } from '../table.ts';
import { terminalOf } from '../terminal.ts';

interface BenchOptions {
  readonly json?: boolean;
}

export function define(command: Command): void {
  command.option('--json', 'print the figures as one JSON document');
  withExamples(command, 'pawl bench')
    .addHelpText(
      'after',
      '\nIt starts a service of its own in an empty folder; the one that runs is left alone.',
    )
    .action(async ({ json = false }: BenchOptions) => {
      process.exitCode = await untilInterrupted(
        async (signal) => {
          const measurements = await measureAll(signal);
          if (json) printJson({ node: process.version, measurements });
          else print(...formatTable(COLUMNS, measurements, terminalOf(process.stdout)));
          return 0;
        },
        () => note('stopped measuring'),
      );
    });
}

async function measureAll(signal: AbortSignal): Promise<readonly Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    return [
      ...(await measurePool(signal)),
      ...(await measurePython(readConfig(process.env), signal)),
      ...(await measureService(folder, signal)),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const COLUMNS = [
  { title: 'WHAT', value: ({ what }: Measurement) => what },
  { title: 'FIGURE', value: ({ value }: Measurement) => formatFigure(value), align: 'right' as const },
  { title: 'UNIT', value: ({ unit }: Measurement) => unit },
];

/** Three digits say enough. */
function formatFigure(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}
