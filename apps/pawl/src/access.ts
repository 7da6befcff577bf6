import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpError } from './http-errors.ts';
import type { TokenOwner, Tokens } from './tokens.ts';

/** What a client may do: each role may do what the one before may. */
export const ROLES = ['read', 'run', 'admin'] as const;
export type Role = (typeof ROLES)[number];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a client needs to be to use the route; `none` is for everybody. Every route says it. */
    readonly role?: Role | 'none';
    /** Whether `PAWL_PUBLIC=execute` opens the route to clients without a token. */
    readonly isOpenToPublic?: boolean;
  }
}

export interface AccessOptions {
  readonly tokens: Tokens;
  /** Whether others than this machine can reach the service. */
  readonly isPublic: boolean;
  /** What clients without a token may do where one is needed. */
  readonly publicAccess: 'nothing' | 'execute';
}

/** Whoever is on this machine, where nobody else can be and no tokens are in use. */
const LOCAL_USER: TokenOwner = { name: 'local', role: 'admin' };

/** Pages and descriptions that tell nothing of what runs here. */
const OPEN_PAGES = /^\/(?:$|ui(?:\/|$)|docs(?:\/|$))/;

/** Lets clients do what their role allows. Call it before the routes are registered: one that states no role throws. */
export function guardRoutes(app: FastifyInstance, { tokens, isPublic, publicAccess }: AccessOptions): void {
  app.addHook('onRoute', (route) => {
    // The routes of plugins don't say it themselves.
    if (OPEN_PAGES.test(route.url)) route.config = { role: 'none', ...route.config };
    if (route.config?.role === undefined) {
      throw new TypeError(
        `Expected the route ${String(route.method)} ${route.url} to state its role in \`config\`.`,
      );
    }
  });

  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return;
    const { role: needed = 'admin', isOpenToPublic = false } = request.routeOptions.config;
    if (needed === 'none') return;
    const token = bearerOf(request);
    const owner = token === undefined ? undefined : tokens.ownerOf(token);
    const client = owner ?? (isPublic || tokens.inUse ? undefined : LOCAL_USER);
    if (client === undefined) {
      if (token === undefined && isOpenToPublic && publicAccess === 'execute') return;
      reply.header(
        'www-authenticate',
        `Bearer realm="pawl"${token === undefined ? '' : ', error="invalid_token"'}`,
      );
      throw token === undefined
        ? new HttpError(401, 'TOKEN_NEEDED', 'Send a token, as `authorization: Bearer <token>`.')
        : new HttpError(401, 'TOKEN_INVALID', 'There is no such token; it may have been taken back.');
    }
    if (ROLES.indexOf(client.role) < ROLES.indexOf(needed)) {
      throw new HttpError(
        403,
        'ROLE_TOO_LOW',
        `The token \`${client.name}\` has the role ${client.role}; this needs the role ${needed}.`,
      );
    }
  });
}

/** The token of a request; empty for an `authorization` of another kind. */
function bearerOf({ headers: { authorization } }: FastifyRequest): string | undefined {
  if (authorization === undefined) return undefined;
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
}
