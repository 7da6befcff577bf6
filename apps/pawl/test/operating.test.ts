import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMemoryRunStore, createRunTracker } from '@pawl/tasks';
import { describe, expect, it } from 'vitest';
import { scheduleRequest } from '../src/api/schedule-schemas.ts';
import { parseConfig } from '../src/config.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { definitionSchema } from '../src/modules/module-definition.ts';
import { validate } from '../src/request-validation.ts';
import { createClient } from './client.ts';
import { makeFolder, NO_PYTHON } from './processes.ts';
import { setup } from './start-service.ts';

const FOLDER = fileURLToPath(new URL('../../../docs/operating', import.meta.url));
/** What follows is made of the code. */
const MARK = '<!-- From here on it is made of the metrics: `npx vitest run test/operating.test.ts -u`. -->\n';

const pages = readdirSync(FOLDER).filter((name) => name.endsWith('.md'));
const pageOf = (name: string): Promise<string> => readFile(join(FOLDER, name), 'utf8');

/** The block of code with that first line, such as `json config`. */
async function blockIn(page: string, info: string): Promise<string> {
  const [, block] = new RegExp(`^\`\`\`${info}\n([^]*?)\n\`\`\`$`, 'm').exec(await pageOf(page)) ?? [];
  expect(block, `${info} in ${page}`).toBeDefined();
  return block ?? '';
}

describe('the pages for operators', () => {
  it('show a configuration, a module and a schedule that are taken', async () => {
    const config = JSON.parse(await blockIn('configuration.md', 'json config')) as Record<
      string,
      string | number
    >;
    const settings = Object.entries(config).map(([name, value]) => [name, String(value)]);
    expect(parseConfig(Object.fromEntries(settings))).toMatchObject({
      maxConcurrentRuns: 4,
      retentionDays: 14,
    });
    const module: unknown = JSON.parse(await blockIn('modules.md', 'json module'));
    expect(validate(definitionSchema, module).parameters).toHaveLength(5);
    const schedule: unknown = JSON.parse(await blockIn('schedules.md', 'json schedule'));
    expect(validate(scheduleRequest, schedule)).toMatchObject({ id: 'report', pauseAfterFailures: 3 });
  });

  it.each(pages)('%s leads to pages that are there', async (name) => {
    const text = await pageOf(name);
    for (const [, path = '', anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
      const target = path === '' ? join(FOLDER, name) : resolve(FOLDER, path);
      expect(existsSync(target), `${name}: ${path}`).toBe(true);
      const headings = anchor === undefined ? [] : await headingsOf(target);
      expect(anchor === undefined || headings.includes(anchor), `${name}: ${path}#${anchor}`).toBe(true);
    }
  });

  it('list every metric', async () => {
    const metrics = createMetrics({
      version: '1.0.0',
      tracker: createRunTracker({ store: createMemoryRunStore(), tasks: { none: () => undefined } }),
      workers: { pools: () => [] },
      streams: { size: 0 },
    });
    const text = await metrics.read();
    const types = new Map(
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
    );
    const rows = [...text.matchAll(/^# HELP (pawl_\S+) (.*)$/gm)].map(([, name = '', help = '']) => [
      `\`${name}\``,
      types.get(name) ?? '',
      help,
    ]);
    expect(rows.length).toBeGreaterThan(10);
    const table = tableOf([['name', 'type', 'what it says'], ...rows]);
    const others = 'Those of the process, `process_…` and `nodejs_…`, are the usual ones of `prom-client`.';
    const [head = ''] = (await pageOf('metrics.md')).split(MARK);
    await expect(`${head}${MARK}\n${table}\n\n${others}\n`).toMatchFileSnapshot(join(FOLDER, 'metrics.md'));
  });

  it.skipIf(NO_PYTHON)(
    `copy the data of a running service, so that another goes on with it${NO_PYTHON}`,
    async (context) => {
      const backup = makeFolder();
      context.onTestFinished(() => backup.remove());
      const service = await setup(context);
      const client = createClient(service);
      const later = { command: { file: 'true' }, delayMs: 3_600_000 };
      const { body: run } = await client.post<{ id: string }>('/v1/runs', later);
      await client.post('/v1/schedules', {
        id: 'daily',
        cron: '0 0 1 1 *',
        run: { command: { file: 'true' } },
      });
      const lines = await blockIn('backup.md', 'sh backup');
      const env = { ...process.env, PAWL_DATA_DIR: service.dataDir, BACKUP: backup.path };
      execFileSync('sh', ['-euc', lines], { env });
      // What comes after the copy is not in it.
      await client.delete('/v1/schedules/daily');

      const restored = createClient(await setup(context, { PAWL_DATA_DIR: backup.path }));
      expect((await restored.get(`/v1/runs/${run.id}`)).body).toMatchObject({ id: run.id, state: 'queued' });
      expect((await restored.get('/v1/schedules/daily')).status).toBe(200);
      expect((await restored.post('/v1/maintenance/store-check')).body).toMatchObject({
        lastResult: { ok: true },
      });
    },
  );
});

/** A table in Markdown, as the formatter leaves it. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [...lines.slice(0, 1), rule, ...lines.slice(1)].join('\n');
}

/** The anchors of a page, as GitHub names them. */
async function headingsOf(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}
