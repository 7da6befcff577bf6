import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser } from './browser.ts';
import { isAlive } from './service.ts';

interface Run {
  readonly id: string;
  readonly state: string;
  readonly pid: number | null;
}

describeInBrowser('what is live', (bench) => {
  const submit = async (file: string, ...args: string[]): Promise<Run> =>
    bench.service.call('POST', '/v1/runs', { command: { file, args } });
  const rowOf = (page: Page, { id }: Pick<Run, 'id'>) => page.locator(`tr[data-run="${id}"]`);

  it('shows a run that begins, what it prints, and its end', async () => {
    const page = await bench.open('/');
    await page.getByText('Nothing is running.').waitFor();
    const run = await submit('sh', '-c', 'echo "half""way there"; sleep 600');
    await rowOf(page, run).getByText('halfway there').waitFor();
    await page.getByRole('link', { name: '1 running', exact: false }).first().waitFor();
    await bench.service.call('POST', `/v1/runs/${run.id}/cancel`, { reason: 'Enough.' });
    await rowOf(page, run).waitFor({ state: 'detached' });
    await page.getByText('Nothing is running.').waitFor();
  });

  it('ends the process of a run that is cancelled here, once that is confirmed', async () => {
    const page = await bench.open('/');
    const { id } = await submit('sleep', '601');
    const row = rowOf(page, { id });
    await row.waitFor();
    const { pid } = await expect
      .poll(async () => bench.service.call<Run>('GET', `/v1/runs/${id}`))
      .toMatchObject({ pid: expect.any(Number) })
      .then(async () => bench.service.call<Run>('GET', `/v1/runs/${id}`));
    await row.getByRole('button', { name: 'Cancel' }).click();
    const dialog = page.getByRole('dialog', { name: 'Cancel this run?' });
    await dialog.getByText('sleep 601').waitFor();
    await dialog.getByRole('button', { name: 'Leave it' }).click();
    expect(isAlive(pid ?? 0)).toBe(true);
    await row.getByRole('button', { name: 'Cancel' }).click();
    await dialog.getByRole('button', { name: 'Cancel the run' }).click();
    await page.getByRole('status').getByText('Cancelled sleep 601.').waitFor();
    await row.waitFor({ state: 'detached' });
    await expect.poll(() => isAlive(pid ?? 0)).toBe(false);
  });

  it('follows the output of a run, stops following when somebody scrolls up, and tells its end', async () => {
    const { id } = await submit(
      'sh',
      '-c',
      'for i in $(seq 1 200); do echo "step $i"; done; sleep 1; echo last',
    );
    const page = await bench.open(`/runs/${id}`);
    await page.getByText('step 200', { exact: true }).waitFor();
    const view = page.getByRole('region', { name: 'Output', exact: true }).last();
    await view.evaluate((element) => element.scrollTo(0, 0));
    await page.getByText('step 1', { exact: true }).waitFor();
    await page.getByText('Ended: succeeded').waitFor();
    expect(await page.getByRole('button', { name: 'Follow' }).getAttribute('aria-pressed')).toBe('false');
    expect(await page.getByText('last', { exact: true }).count()).toBe(0);
    await page.getByRole('button', { name: 'Follow' }).click();
    await page.getByText('last', { exact: true }).waitFor();
  });

  it('holds 99,000 lines with a few of them in the page, finds among them and hides a stream', async () => {
    const script = { path: join(bench.service.modules, 'many_lines.py'), args: ['99000'] };
    const { id } = await bench.service.call('POST', '/v1/runs', { script });
    const page = await bench.open(`/runs/${id}`);
    await page.getByText('99001 lines').waitFor();
    expect(await page.locator('.console-line').count()).toBeLessThan(200);
    await page.locator('.console-line').getByText('a warning at the end').waitFor();
    await page.getByRole('button', { name: 'stderr', pressed: true }).click();
    await page.getByText('99000 lines').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('line 4321');
    await page.getByText('1 of 11').waitFor();
    await page.locator('.is-found').getByText('line 4321 of the output').waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.is-found').getByText('line 43210 of the output').waitFor();
    expect(await page.locator('.console-line').count()).toBeLessThan(200);
  });

  it('downloads what a run printed, byte for byte', async () => {
    const { id } = await submit('printf', 'a\\r\\n\\033[31mb');
    const page = await bench.open(`/runs/${id}`);
    await page.getByText('Ended: succeeded').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('[data-action="log.download"]').first().click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${id}.stdout.txt`);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('a\r\n\u001B[31mb');
  });

  it('runs a run again, and deletes one', async () => {
    const { id } = await submit('false');
    const page = await bench.open(`/runs/${id}`);
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.waitForURL((url) => !url.pathname.endsWith(id));
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete the run' }).click();
    await page.waitForURL(/\/ui\/runs$/);
    await rowOf(page, { id }).waitFor();
    expect(
      (await page.locator('tr[data-run]').allTextContents()).filter((text) => text.includes('false')),
    ).toHaveLength(1);
  });

  it('says so while the service is away, and recovers all by itself when it is back', async () => {
    const page = await bench.open('/', { allow: /ERR_|Failed to load/ });
    await page.locator('.connection').getByText('Live').waitFor();
    const interrupted = await submit('sleep', '603');
    await rowOf(page, interrupted).getByText(/^\d+$/).waitFor();
    await bench.service.kill();
    await page.getByText('The service does not answer. What you see is from before').waitFor();
    await page.getByText('Something is wrong.').waitFor();
    await bench.service.start();
    await page.locator('.connection').getByText('Live').waitFor();
    await page.getByText('What you see is from before').waitFor({ state: 'detached' });
    const run = await submit('sleep', '602');
    await rowOf(page, run).waitFor();
    await bench.service.call('POST', `/v1/runs/${run.id}/cancel`, {});
    await rowOf(page, run).waitFor({ state: 'detached' });

    await rowOf(page, interrupted).getByRole('link').click();
    await page.getByText('The service that ran it was killed.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await page.getByText('Ended: cancelled').waitFor();
  });
});
