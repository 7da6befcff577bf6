import { readdirSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { hasCode } from '@pawl/core';
import { HttpError } from './http-errors.ts';

/** Where the build puts the dashboard: beside the built service. */
const PAGE_FOLDER = fileURLToPath(new URL('../dist/ui/', import.meta.url));

/** The page's own scripts, styles and requests, and nothing of anybody else. */
const PAGE_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

export interface PageOptions {
  /** @default the dashboard */
  readonly folder?: string;
}

/** The dashboard, at `/ui/`. Its own addresses are all answered with its one page. */
export async function pageRoutes(
  app: FastifyInstance,
  { folder = PAGE_FOLDER }: PageOptions = {},
): Promise<void> {
  // Only what was there at the start is ever sent: no name in an address is looked up in a file system.
  const files = new Set(filesIn(folder));
  await app.register(fastifyStatic, { root: folder, serve: false, cacheControl: false });
  const options = {
    schema: { hide: true },
    config: { role: 'none' },
    helmet: { contentSecurityPolicy: PAGE_POLICY },
  } as const;

  app.get('/', options, async (_request, reply) => reply.redirect('/ui/'));
  app.get('/ui', options, async (_request, reply) => reply.redirect('/ui/'));
  app.get<{ Params: { readonly '*': string } }>('/ui/*', options, async ({ params }, reply) => {
    const asked = params['*'];
    if (files.has(asked) && asked !== 'index.html') {
      // The names in `assets` change with the content.
      const isHashed = asked.startsWith('assets/');
      reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      return reply.sendFile(asked);
    }
    if (extname(asked) !== '' && asked !== 'index.html')
      throw new HttpError(404, 'NOT_FOUND', `There is no /ui/${asked}.`);
    if (!files.has('index.html')) {
      throw new HttpError(404, 'PAGE_NOT_BUILT', 'The dashboard is not here. `npm run build` makes it.');
    }
    reply.header('cache-control', 'no-cache');
    return reply.sendFile('index.html');
  });
}

/** The files of a folder, as addresses name them. */
function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
