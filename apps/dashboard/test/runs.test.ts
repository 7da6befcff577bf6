import { beforeAll, expect, it } from 'vitest';
import { describeInBrowser } from './browser.ts';

describeInBrowser('the list of runs', (bench) => {
  beforeAll(async () => {
    const runs = Array.from({ length: 60 }, (_, index) => ({
      command: { file: index % 20 === 0 ? 'false' : 'true', args: [`${index}`] },
      ...(index < 3 ? { key: 'first three' } : {}),
    }));
    const { results } = await bench.service.call<{ results: { run: { id: string } }[] }>(
      'POST',
      '/v1/runs/batch',
      { runs },
    );
    await Promise.all(results.map(({ run }) => bench.service.call('GET', `/v1/runs/${run.id}/wait`)));
  });

  it('finds by facets that are in the address', async () => {
    const page = await bench.open('/runs');
    const rows = page.locator('tr[data-run]');
    await expect.poll(async () => rows.count()).toBe(50);
    await page.getByRole('button', { name: 'failed' }).click();
    await expect.poll(async () => rows.count()).toBe(3);
    expect(new URL(page.url()).search).toBe('?state=failed');
    await page.getByLabel('Key').fill('first three');
    await expect.poll(async () => rows.count()).toBe(1);
    expect(new URL(page.url()).search).toBe('?state=failed&key=first+three');
    await page.reload();
    await expect.poll(async () => rows.count()).toBe(1);
    expect(await page.getByRole('button', { name: 'failed' }).getAttribute('aria-pressed')).toBe('true');
    await page.getByRole('button', { name: 'failed' }).click();
    await expect.poll(async () => rows.count()).toBe(3);
    await page.getByLabel('Task').fill('python');
    await page.getByText('No run is like that.').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(async () => rows.count()).toBe(50);
  });

  it('goes to older pages and back', async () => {
    const page = await bench.open('/runs');
    const rows = page.locator('tr[data-run]');
    await expect.poll(async () => rows.count()).toBe(50);
    await page.getByRole('link', { name: 'Older' }).click();
    await expect.poll(async () => rows.count()).toBe(10);
    await page.getByText('These are the oldest.').waitFor();
    await page.goBack();
    await expect.poll(async () => rows.count()).toBe(50);
  });

  it('leads from a number of the first screen to its list', async () => {
    const page = await bench.open('/');
    await page
      .getByRole('navigation', { name: 'Runs by state' })
      .getByRole('link', { name: '3 failed' })
      .click();
    await page.waitForURL(/\/ui\/runs\?state=failed$/);
    await expect.poll(async () => page.locator('tr[data-run]').count()).toBe(3);
  });

  it('is moved in by keys, and tells them', async () => {
    const page = await bench.open('/');
    await page.getByText('Nothing is running.').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).getByText('g r').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await page.waitForURL(/\/ui\/runs$/);
    await expect.poll(async () => page.locator('tr[data-run]').count()).toBe(50);
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('placeholder'))).toBe('any');
    await page.keyboard.type('jj');
    expect(await page.getByLabel('Task').inputValue()).toBe('jj');
    await page.getByLabel('Task').fill('');
    await expect.poll(async () => page.locator('tr[data-run]').count()).toBe(50);
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('j');
    const id = await page.evaluate(() => document.activeElement?.closest('tr')?.dataset['run']);
    expect(id).toBe(await page.locator('tr[data-run]').nth(1).getAttribute('data-run'));
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`/ui/runs/${id}$`));
    await page.keyboard.press('Control+k');
    await page.keyboard.type('sched');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/ui\/schedules/);
    await page.keyboard.press('t');
    expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark');
  });
});
