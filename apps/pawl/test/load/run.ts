import { loadavg } from 'node:os';
import { startService } from '../start-service.ts';
import { loadTables, progressLine } from './load-table.ts';
import { runLoad } from './load.ts';

export interface RunOptions {
  readonly clients: number;
  readonly minutes: number;
  readonly maxPrograms: number;
  /** Settings of the service that are not the defaults. */
  readonly env: Readonly<Record<string, string>>;
}

/** Puts the built service under load and prints what came of it. @returns the exit code: 1 after a wrong answer or a leak */
export async function run({ clients, minutes, maxPrograms, env }: RunOptions): Promise<number> {
  const service = await startService({
    PAWL_RATE_LIMIT_PER_MINUTE: '',
    PAWL_ALLOW_UNSANDBOXED: '0',
    PAWL_LOG_LEVEL: 'error',
    ...env,
  });
  try {
    const load = (): string =>
      `load average ${loadavg()
        .map((each) => each.toFixed(1))
        .join(' ')}`;
    console.log(`${clients} clients for ${minutes} minutes; ${load()}.`);
    const report = await runLoad({
      service,
      clients,
      durationMs: minutes * 60_000,
      maxPrograms,
      warmUpPrograms: 1_000,
      roundsAlone: 100,
      onMinute: (soFar) => console.log(`${progressLine(soFar)}; ${load()}`),
    });
    console.log(`\n${loadTables(report)}\n\n${load()}`);
    const { alone, loaded, leaks } = report;
    const silent = [...loaded.refused.values()].filter((refusals) => refusals.silent > 0);
    return alone.wrong.length + loaded.wrong.length + leaks.length + silent.length > 0 ? 1 : 0;
  } finally {
    await service.dispose();
  }
}
