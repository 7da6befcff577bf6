import { expect, it } from 'vitest';
import { loadTables } from './load/load-table.ts';
import { runLoad } from './load/load.ts';
import { NO_PROC, NO_PYTHON } from './processes.ts';
import { setup } from './start-service.ts';

// More of it, and with the latencies: `npm run load -w pawl`.
it.skipIf(NO_PYTHON || NO_PROC)(
  `answers good and hostile programs of many clients rightly, sheds what is too much, and leaves nothing behind${NO_PYTHON}${NO_PROC}`,
  { timeout: 120_000 },
  async (context) => {
    const service = await setup(context, { PAWL_RATE_LIMIT_PER_MINUTE: '', PAWL_MAX_CONCURRENT_RUNS: '4' });
    const { body } = await service.request<{ readonly kind: string }>('GET', '/system/sandbox');
    if (body.kind !== 'bubblewrap') context.skip(`hostile programs need bubblewrap; here is ${body.kind}`);
    const report = await runLoad({
      service,
      clients: 60,
      durationMs: 10_000,
      maxPrograms: 240,
      warmUpPrograms: 40,
      roundsAlone: 2,
    });
    const { alone, loaded, leaks } = report;
    expect([...alone.wrong, ...loaded.wrong, ...leaks], loadTables(report)).toEqual([]);
    expect([...loaded.answers.keys()]).toEqual(expect.arrayContaining([...alone.answers.keys()]));
    expect([...loaded.refused.keys()]).toContain('503 OVERLOADED');
    expect([...loaded.refused.values()].filter(({ silent }) => silent > 0)).toEqual([]);
  },
);
