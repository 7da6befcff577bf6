import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, it } from 'vitest';
import { describeInBrowser } from './browser.ts';

const folder = mkdtempSync(join(tmpdir(), 'pawl-tokens-'));
const file = join(folder, 'tokens.json');
const sha256 = createHash('sha256').update('open-sesame').digest('hex');
writeFileSync(file, JSON.stringify({ tokens: [{ name: 'reader', role: 'read', sha256 }] }));
afterAll(() => rmSync(folder, { recursive: true }));

describeInBrowser(
  'a service that wants a token',
  (bench) => {
    it('is asked for one by the page, which keeps it until it is given up', async () => {
      const page = await bench.open('/', { allow: /status of 40[13]/ });
      const dialog = page.getByRole('dialog', { name: 'Sign in' });
      await dialog.getByLabel('Token').fill('wrong');
      await dialog.getByRole('button', { name: 'Sign in' }).click();
      await dialog.waitFor();
      await dialog.getByLabel('Token').fill('open-sesame');
      await dialog.getByRole('button', { name: 'Sign in' }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.getByText('Nothing is running.').waitFor();
      await page.locator('.connection').getByText('Live').waitFor();
      await page.reload();
      await page.getByText('Nothing is running.').waitFor();
      await page.goto(`${bench.service.url}/ui/system`);
      await page.getByRole('alert').getByText('admin').waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await dialog.waitFor();
    });
  },
  { PAWL_TOKENS_FILE: file },
);
