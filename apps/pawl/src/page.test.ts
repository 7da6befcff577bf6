import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpServer } from './http-server.ts';
import { pageRoutes } from './page.ts';

async function setup(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, 'ui');
  mkdirSync(join(root, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  symlinkSync(join(folder, 'secret.txt'), join(root, 'link.txt'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
  const app = await createHttpServer({ logger: pino({ level: 'silent' }), isPublic: false, corsOrigins: [] });
  await pageRoutes(app, { folder: root });
  onTestFinished(() => app.close());
  return (url: string, headers: Readonly<Record<string, string>> = {}) =>
    app.inject({ url, headers: { host: 'localhost', ...headers } });
}

const PAGE = {
  'index.html': '<!doctype html>',
  'favicon.svg': '<svg/>',
  'assets/index-1a2b.js': 'export {}',
};

describe('the page', () => {
  it('is at /ui/, also for its own addresses', async () => {
    const get = await setup(PAGE);
    for (const path of ['/', '/ui']) {
      const { statusCode, headers } = await get(path);
      expect([statusCode, headers['location']]).toEqual([302, '/ui/']);
    }
    for (const path of ['/ui/', '/ui/index.html', '/ui/runs', '/ui/runs/run_1?tab=output']) {
      const { statusCode, body, headers } = await get(path);
      expect([statusCode, body], path).toEqual([200, '<!doctype html>']);
      expect(headers['content-type']).toMatch(/^text\/html/);
      expect(headers['cache-control']).toBe('no-cache');
    }
  });

  it('loads its own scripts and styles, and nothing of anybody else', async () => {
    const get = await setup(PAGE);
    const { headers } = await get('/ui/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  });

  it('keeps for a year what is named for its content, and asks again for the rest', async () => {
    const get = await setup(PAGE);
    const asset = await get('/ui/assets/index-1a2b.js');
    expect([asset.statusCode, asset.body]).toEqual([200, 'export {}']);
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(asset.headers['content-type']).toMatch(/javascript/);
    const icon = await get('/ui/favicon.svg');
    expect(icon.headers['cache-control']).toBe('no-cache');
    const again = await get('/ui/favicon.svg', { 'if-none-match': String(icon.headers['etag']) });
    expect(again.statusCode).toBe(304);
  });

  it.each([
    '/ui/assets/gone-9z.js',
    '/ui/secret.txt',
    '/ui/%2e%2e/secret.txt',
    '/ui/..%2fsecret.txt',
    '/ui/link.txt',
    '/ui/assets/..%2f..%2fsecret.txt',
  ])('has no %s', async (path) => {
    const get = await setup(PAGE);
    const { statusCode, body } = await get(path);
    expect(statusCode).toBe(404);
    expect(JSON.parse(body)).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('says that it was not built', async () => {
    const get = await setup({});
    const { statusCode, body } = await get('/ui/');
    expect([statusCode, (JSON.parse(body) as { readonly code: string }).code]).toEqual([
      404,
      'PAGE_NOT_BUILT',
    ]);
  });
});
