import { expect, it } from 'vitest';
import { describeInBrowser } from './browser.ts';

describeInBrowser('modules, patterns, workers and maintenance', (bench) => {
  it('asks for what a module needs, saves it, and runs it', async () => {
    const page = await bench.open('/modules');
    await page.getByRole('link', { name: 'Monthly report' }).click();
    await page.getByRole('spinbutton', { name: 'Month' }).fill('13');
    expect(await page.getByLabel('Address').count()).toBe(0);
    await page.getByLabel('Send it by mail').check();
    await page.getByLabel('Address').fill('nobody');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText('At most 12.').waitFor();
    await page.getByText('Expected an address such as ada@example.org.').waitFor();
    await page.getByRole('spinbutton', { name: 'Month' }).fill('6');
    await page.getByLabel('Address').fill('ada@example.org');
    await page.getByLabel('Region').selectOption('south');
    await page.getByLabel('Token').fill('secret');
    await page.getByRole('button', { name: 'Save these values' }).click();
    await page.getByText('Saved these values for Monthly report.').waitFor();
    await page.reload();
    await expect.poll(async () => page.getByRole('spinbutton', { name: 'Month' }).inputValue()).toBe('6');
    expect(await page.getByLabel('Token').inputValue()).toBe('');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.waitForURL(/\/ui\/runs\/run_/);
    await page.getByText('report --month=6 --region=south --mail').first().waitFor();
    await page.getByText('Ended: succeeded').waitFor();
    await page.goto(`${bench.service.url}/ui/modules/report`);
    await page.getByRole('button', { name: 'Forget the saved ones' }).click();
    await page.getByRole('button', { name: 'Forget them' }).click();
    await expect.poll(async () => page.getByRole('spinbutton', { name: 'Month' }).inputValue()).toBe('5');
  });

  it('recommends a pattern, and lets each be tried', async () => {
    const page = await bench.open('/patterns');
    await page.getByLabel('Seconds one run takes').fill('90');
    await page.getByRole('button', { name: 'Recommend' }).click();
    await page.getByText('It takes 90 s, longer than 60 s').waitFor();
    const choose = async (name: string): Promise<void> =>
      page.getByRole('navigation', { name: 'Patterns' }).getByRole('link', { name, exact: true }).click();

    await choose('simple');
    await page.getByLabel('Command', { exact: false }).fill('echo simple');
    await page.getByRole('button', { name: 'Run and wait for the end' }).click();
    await page.locator('[data-tried]').getByText('succeeded').waitFor();

    await choose('fire-and-forget');
    await page.getByLabel('Command', { exact: false }).fill('true');
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await page.locator('[data-tried]').getByRole('link').waitFor();

    await choose('concurrent');
    await page.getByLabel('Command', { exact: false }).fill('true');
    await page.getByLabel('How many').fill('5');
    await page.getByRole('button', { name: 'Submit them all' }).click();
    await expect.poll(async () => page.locator('[data-tried]').getByText('succeeded').count()).toBe(5);

    await choose('pooled');
    await page.getByLabel('How often').fill('2');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('Run 2', { exact: true }).waitFor();

    await choose('long-running');
    await page.getByRole('button', { name: 'Run and watch' }).click();
    await page.waitForURL(/\/ui\/runs\/run_/);
    await page.goBack();

    await choose('periodic');
    await page.getByLabel('Name').fill('tried');
    await page.getByRole('button', { name: 'Create the schedule' }).click();
    await page.waitForURL(/\/ui\/schedules\/tried$/);
    await page.getByRole('heading', { name: 'every 10 seconds' }).waitFor();
  });

  it('scales a pool, with a way back, and recycles workers', async () => {
    const page = await bench.open('/workers');
    const row = page.locator('tr[data-pool="python"]');
    await page.locator('tr[data-worker^="python"]').first().waitFor();
    const workers = async (): Promise<number> => page.locator('tr[data-worker^="python"]').count();
    const before = await workers();
    await page.getByLabel('Workers of python').fill(String(before + 1));
    await row.getByRole('button', { name: 'Scale' }).click();
    await expect.poll(workers).toBe(before + 1);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(workers).toBe(before);
    const ids = await page
      .locator('tr[data-worker^="python"]')
      .evaluateAll((rows) => rows.map((element) => (element as HTMLElement).dataset['worker']));
    await row.getByRole('button', { name: 'Recycle' }).click();
    await page.getByRole('button', { name: 'Recycle the workers' }).click();
    await expect.poll(async () => page.locator(`tr[data-worker="${ids[0]}"]`).count()).toBe(0);
  });

  it('drains a worker, after asking', async () => {
    await bench.service.call('POST', '/v1/pools/python/scale', { size: 2 });
    const { id } = await bench.service.call('POST', '/v1/runs', {
      python: { code: 'import time; time.sleep(5)', limits: { wallMs: 8_000 } },
    });
    const page = await bench.open('/workers');
    const busy = page.locator('tr[data-worker^="python"]', { hasText: 'busy' });
    await busy.waitFor();
    const row = page.locator(`tr[data-worker="${await busy.getAttribute('data-worker')}"]`);
    await row.getByRole('button', { name: 'Drain' }).click();
    await page.getByText('finishes its run, takes no other, and ends').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await row.getByText('busy').waitFor();
    await row.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('button', { name: 'Drain the worker' }).click();
    await row.getByText('draining').waitFor();
    expect(await row.getByRole('button', { name: 'Drain' }).isDisabled()).toBe(true);
    expect(await row.getByRole('button', { name: 'Recycle' }).isDisabled()).toBe(true);
    expect(await bench.service.call('GET', `/v1/runs/${id}/wait`)).toMatchObject({ state: 'succeeded' });
    await row.waitFor({ state: 'detached' });
    // The process of a run has neither.
    await bench.service.call('POST', '/v1/runs', { command: { file: 'sleep', args: ['300'] } });
    const process = page.locator('tr[data-worker^="run_"]');
    await process.waitFor();
    expect(await process.getByRole('button').count()).toBe(0);
  });

  it('runs a maintenance job, and draws what the service sends', async () => {
    const page = await bench.open('/system');
    const row = page.locator('tr[data-job="old-runs"]');
    await row.getByRole('button', { name: 'Run now' }).click();
    await page.getByText('Ran old-runs').waitFor();
    await row
      .getByText(/now|ago/)
      .first()
      .waitFor();
    await expect.poll(async () => page.locator('.chart canvas').count()).toBe(3);
    await page
      .locator('[data-chart="Runs"]')
      .getByText(/running \d+, waiting \d+/)
      .waitFor();
  });
});
