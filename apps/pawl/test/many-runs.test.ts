import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RunPageView, RunView } from '../src/api/run-schemas.ts';
import { until } from './processes.ts';
import { follow, shell } from './run-client.ts';
import { setup } from './start-service.ts';

const RUNS = 1_000;

describe('a thousand runs at once', { timeout: 60_000 }, () => {
  it('are all answered, all end, and add up, while somebody watches', async (context) => {
    const service = await setup(context, { PAWL_MAX_CONCURRENT_RUNS: '4', PAWL_RUN_MODE: 'dry-run' });
    const path = `${service.dataDir}/nothing.sh`;
    writeFileSync(path, 'exit 0\n');
    const watcher = await follow(service, '/v1/events?types=run');
    const answers = await Promise.all(
      Array.from({ length: RUNS }, (_, n) =>
        service.request<RunView>('POST', '/v1/runs', {
          // Some fail, some are asked for twice.
          body:
            n % 10 === 0
              ? shell('exit 1')
              : { script: { path, args: [String(n)] }, idempotencyKey: `n${n - (n % 2)}` },
        }),
      ),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses).toEqual(new Set([202, 409]));
    const accepted = answers.filter(({ status }) => status === 202).map(({ body }) => body.id);
    expect(new Set(accepted).size).toBe(accepted.length);

    let counts: Readonly<Record<string, number>> = {};
    await until(
      'all have ended',
      async () => {
        counts = (await service.request<Record<string, number>>('GET', '/v1/runs/counts')).body;
        const { submitted = 0, ...states } = counts;
        // At every moment.
        expect(Object.values(states).reduce((sum, count) => sum + count, 0)).toBe(submitted);
        expect(counts['running']).toBeLessThanOrEqual(4);
        return counts['queued'] === 0 && counts['running'] === 0;
      },
      40_000,
    );
    expect(counts).toMatchObject({ submitted: accepted.length, failed: RUNS / 10, lost: 0, cancelled: 0 });
    expect((counts['succeeded'] ?? 0) + (counts['failed'] ?? 0)).toBe(accepted.length);

    const listed: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { body } = await service.request<RunPageView>('GET', `/v1/runs?limit=300${query}`);
      listed.push(...body.runs.map(({ id }) => id));
      ({ nextCursor: cursor } = body);
    } while (cursor !== null);
    expect(listed.toSorted()).toEqual(accepted.toSorted());

    // Whoever watched has seen the end of each, or was told that it missed some.
    const isReset = watcher.events.some(({ event }) => event === 'reset');
    const ends = new Set(
      watcher.events
        .map(({ data }) => JSON.parse(data) as Partial<RunView>)
        .filter(({ endedAt }) => typeof endedAt === 'string')
        .map(({ id }) => id),
    );
    expect(isReset || ends.size === accepted.length).toBe(true);
    watcher.close();
  });
});
