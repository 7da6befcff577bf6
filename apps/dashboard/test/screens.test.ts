import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type axeCore from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeInBrowser } from './browser.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describeInBrowser('the screens', (bench) => {
  const ids = { failed: '', running: '' };

  beforeAll(async () => {
    await bench.service.call('POST', '/v1/schedules', {
      id: 'nightly-report',
      cron: '30 2 * * *',
      timeZone: 'America/New_York',
      run: { module: { id: 'report', parameters: { month: 5 } } },
    });
    await bench.service.call('POST', '/v1/schedules/nightly-report/run', {});
    const failing = { script: { path: join(bench.service.modules, 'failing.py') }, maxAttempts: 2 };
    ids.failed = (await bench.service.call('POST', '/v1/runs', failing)).id;
    await bench.service.call('GET', `/v1/runs/${ids.failed}/wait`);
    const sleeping = { command: { file: 'sleep', args: ['300'] }, key: 'bed' };
    ids.running = (await bench.service.call('POST', '/v1/runs', sleeping)).id;
    await bench.service.call('POST', '/v1/runs', sleeping);
  });

  const SCREENS: readonly (readonly [name: string, path: () => string, texts: () => readonly string[]])[] = [
    [
      'Now',
      () => '/',
      () => ['1 run failed in the last hour.', 'sleep 300', 'the key `bed`', 'nightly-report'],
    ],
    ['Runs', () => '/runs', () => ['failing.py', 'sleep 300', '2 of 2', 'module:report']],
    [
      'a running run',
      () => `/runs/${ids.running}`,
      () => ['sleep 300', 'key bed', 'Nothing was printed yet.'],
    ],
    [
      'a failed run',
      () => `/runs/${ids.failed}`,
      () => ['Could not reach db-3', '#2', '#1', 'Run again', 'code 1'],
    ],
    ['Schedules', () => '/schedules', () => ['nightly-report', 'at 02:30 (America/New_York)']],
    ['a schedule', () => '/schedules/nightly-report', () => ['Next 10', '02:30 -0', '"month": 5']],
    ['a new schedule', () => '/schedules/~new', () => ['at 02:30 (Europe/Berlin)']],
    ['Modules', () => '/modules', () => ['Monthly report', 'Adds up the sales']],
    ['a module', () => '/modules/report', () => ['Month', 'Region', 'Token', 'report.py']],
    ['Workers', () => '/workers', () => ['python', 'process of a run', ids.running]],
    ['Playground', () => '/playground', () => ['Nothing was run yet.']],
    ['Patterns', () => '/patterns', () => ['Which one fits?', 'fire-and-forget', 'cancel(id)', 'runModule']],
    ['System', () => '/system', () => ['sqlite', 'PAWL_DATA_DIR', 'old-runs', 'pawl.db', 'network']],
  ];

  describe.each(SCREENS)('%s', (_name, path, texts) => {
    it('shows what there is, to everybody, in light and dark, wide and narrow', async () => {
      const page = await bench.open(path(), { colorScheme: 'light' });
      for (const text of texts()) await page.getByText(text).first().waitFor();
      expect(await page.title()).toMatch(/ · Pawl$/);
      // Evaluated by the browser's own tools, so the page's policy stays in force.
      await page.evaluate(AXE);
      expect(await violations(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await violations(page)).toEqual([]);
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await beyondTheEdge(page)).toEqual([]);
    });
  });

  it('follows the system in its colours, until somebody chooses', async () => {
    const page = await bench.open('/', { colorScheme: 'dark' });
    const ground = async (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await ground();
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await ground();
    expect(light).not.toBe(dark);
    await page.getByRole('button', { name: 'Dark' }).click();
    expect(await ground()).toBe(dark);
    await page.reload();
    await page.getByText('sleep 300').first().waitFor();
    expect(await ground()).toBe(dark);
  });

  it('says so where there is no such page, run or schedule', async () => {
    const page = await bench.open('/nowhere', { allow: /404/ });
    await page.getByText('There is no such page.').waitFor();
    await page.goto(`${bench.service.url}/ui/runs/run_of_nobody`);
    await page.getByRole('alert').getByText('run_of_nobody').waitFor();
    await page.goto(`${bench.service.url}/ui/schedules/nobody`);
    await page.getByRole('alert').getByText('nobody').waitFor();
  });
});

async function violations(page: Page): Promise<readonly string[]> {
  const { violations: found } = await page.evaluate(async (): Promise<axeCore.AxeResults> =>
    (globalThis as unknown as { axe: typeof axeCore }).axe.run(),
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary ?? ''}`),
  );
}

/** What makes the page wider than its window. */
async function beyondTheEdge(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    return [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
      .map((element) => element.outerHTML.slice(0, 120));
  });
}
