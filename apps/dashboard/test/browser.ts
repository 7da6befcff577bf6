import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { type Service, startService } from './service.ts';

const CHROMIUM = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));

/** A service and a browser for the tests of one file. */
export interface Bench {
  readonly service: Service;
  /** Opens a page below `/ui` in a window of its own. At its end it must have said nothing wrong. */
  open(path: string, options?: OpenOptions): Promise<Page>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** What may be said on the console all the same. */
  readonly allow?: RegExp;
}

/** Describes tests that need a browser; without one they are skipped, and say why. */
export function describeInBrowser(
  name: string,
  tests: (bench: Bench) => void,
  env: Readonly<Record<string, string>> = {},
): void {
  const isThere = CHROMIUM !== undefined;
  const title = isThere ? name : `${name} (skipped: no Chromium here; CHROMIUM_PATH may name one)`;
  describe.skipIf(!isThere)(title, () => {
    let service: Service;
    let browser: Browser;
    beforeAll(async () => {
      [service, browser] = await Promise.all([
        startService(env),
        chromium.launch({ executablePath: CHROMIUM ?? '' }),
      ]);
    });
    afterAll(async () => {
      await browser?.close();
      await service?.dispose();
    });
    tests({
      get service() {
        return service;
      },
      open: async (path, options) => openPage(browser, service.url, path, options),
    });
  });
}

async function openPage(
  browser: Browser,
  url: string,
  path: string,
  { allow, ...options }: OpenOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    const isWrong = message.type() === 'error' || message.type() === 'warning';
    if (isWrong && allow?.test(message.text()) !== true) faults.push(message.text());
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`) && !request.url().startsWith('blob:'))
      faults.push(`It asked ${request.url()}.`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(faults).toEqual([]);
  });
  await page.goto(`${url}/ui${path}`);
  return page;
}
