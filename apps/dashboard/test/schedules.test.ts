import { expect, it } from 'vitest';
import { describeInBrowser } from './browser.ts';

interface View {
  readonly schedule: { readonly cron: string | null; readonly everyMs: number | null };
  readonly pause: { readonly reason: string } | null;
  readonly skipsAt: string | null;
}

describeInBrowser('schedules', (bench) => {
  const viewOf = async (id: string): Promise<View> => bench.service.call('GET', `/v1/schedules/${id}`);

  it('are made with their slots in view, clock changes included', async () => {
    const page = await bench.open('/schedules', { allow: /status of 4(00|22)/ });
    await page.getByText('There are no schedules yet.').waitFor();
    await page.getByRole('link', { name: 'New schedule' }).click();
    await page.getByLabel('Name').fill('spring');
    await page.getByLabel('Time zone').fill('America/New_York');
    await page.getByLabel('Cron').fill('30 2 * 3 7#2');
    await page
      .getByText(/02:30 does not exist on \d+ March/)
      .first()
      .waitFor();
    await page.getByLabel('Cron').fill('30 26 * * *');
    await page.getByText('26').and(page.locator('.fault')).waitFor();
    await page.getByLabel('Cron').fill('*/15 * * * *');
    await page.getByText('every 15 minutes (America/New_York)').waitFor();
    await page.getByLabel('Command', { exact: false }).fill('echo "it is time"');
    await page.getByRole('button', { name: 'Create the schedule' }).click();
    await page.waitForURL(/\/ui\/schedules\/spring$/);
    await page.getByText('it is time').first().waitFor();
    expect((await viewOf('spring')).schedule).toMatchObject({ cron: '*/15 * * * *' });
  });

  it('are run now, skipped with a way back, paused with a reason, resumed, changed and deleted', async () => {
    await bench.service.call('POST', '/v1/schedules', {
      id: 'hourly',
      everyMs: 3_600_000,
      run: { command: { file: 'true' } },
    });
    const page = await bench.open('/schedules');
    const row = page.locator('tr[data-schedule="hourly"]');

    await row.getByRole('button', { name: 'Run now' }).click();
    await page.getByText('Started hourly.').waitFor();
    await row.getByText('succeeded').first().waitFor();
    expect(await row.locator('.spark a').count()).toBe(1);

    await row.getByRole('button', { name: 'Skip next' }).click();
    await row.getByText('skips the next one').waitFor();
    await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
    await row.getByText('skips the next one').waitFor({ state: 'detached' });
    expect(await viewOf('hourly')).toMatchObject({ skipsAt: null });

    await row.getByRole('button', { name: 'Pause' }).click();
    await page.getByLabel('Reason').fill('The disk is being moved.');
    await page.getByRole('button', { name: 'Pause the schedule' }).click();
    await row.getByText('The disk is being moved.').waitFor();
    expect((await viewOf('hourly')).pause?.reason).toBe('The disk is being moved.');
    await row.getByRole('button', { name: 'Resume' }).click();
    await row.getByRole('button', { name: 'Pause' }).waitFor();

    await row.getByRole('link', { name: 'hourly', exact: true }).click();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Every').fill('2');
    await page.getByText('every 2 hours').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'every 2 hours' }).waitFor();
    expect((await viewOf('hourly')).schedule.everyMs).toBe(7_200_000);

    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('hourly will never run again.').waitFor();
    await page.getByRole('button', { name: 'Delete the schedule' }).click();
    await page.waitForURL(/\/ui\/schedules$/);
    await row.waitFor({ state: 'detached' });
  });

  it('lead to their runs, which are found by a field of the list, too', async () => {
    for (const id of ['mine', 'yours']) {
      await bench.service.call('POST', '/v1/schedules', {
        id,
        cron: '0 0 1 1 *',
        run: { command: { file: 'echo', args: [id] } },
      });
      await bench.service.call('POST', `/v1/schedules/${id}/run`, {});
    }
    const page = await bench.open('/schedules/mine');
    await page.getByRole('link', { name: 'Its runs' }).click();
    await page.waitForURL(/\/ui\/runs\?schedule=mine$/);
    const rows = page.locator('tr[data-run]');
    await rows.getByText('echo mine').waitFor();
    expect(await rows.count()).toBe(1);
    expect(await page.getByLabel('Schedule').inputValue()).toBe('mine');
    // It is live, and of this schedule alone.
    await bench.service.call('POST', '/v1/schedules/yours/run', {});
    await bench.service.call('POST', '/v1/schedules/mine/run', {});
    await expect.poll(async () => rows.count()).toBe(2);
    expect(await rows.getByText('echo yours').count()).toBe(0);
    await page.getByLabel('Schedule').fill('yours');
    await page.waitForURL(/\/ui\/runs\?schedule=yours$/);
    await rows.getByText('echo yours').first().waitFor();
    await rows.first().getByRole('link', { name: 'echo yours' }).click();
    await page.getByRole('link', { name: 'schedule yours' }).click();
    await page.waitForURL(/\/ui\/schedules\/yours$/);
  });

  it('are backfilled after their slots were counted', async () => {
    await bench.service.call('POST', '/v1/schedules', {
      id: 'daily',
      cron: '0 12 * * *',
      timeZone: 'Europe/Berlin',
      run: { command: { file: 'true' } },
    });
    const page = await bench.open('/schedules/daily');
    await page.getByLabel('From').fill('2026-03-01T00:00');
    await page.getByLabel('To, not included').fill('2026-03-04T00:00');
    await page.getByRole('button', { name: 'Count and backfill' }).click();
    await page.getByText('3 slots are in that time.').waitFor();
    await page.getByRole('button', { name: 'Run up to 3' }).click();
    await expect.poll(async () => page.locator('.spark a').count()).toBe(3);
  });
});
