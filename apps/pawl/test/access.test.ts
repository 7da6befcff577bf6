import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { type Role, ROLES } from '../src/access.ts';
import { makeFolder } from './processes.ts';
import { type ProblemBody, type Service, setup } from './start-service.ts';

interface OpenApi {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly parameters?: readonly Parameter[] }>>>
  >;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
}

/** A file of tokens that a test writes. */
function tokensFile({ onTestFinished }: TestContext) {
  const { path: folder, remove } = makeFolder();
  onTestFinished(remove);
  const file = join(folder, 'tokens.json');
  const tokens = new Map<Role, string>();
  return {
    file,
    /** @returns the token of each role */
    write: (...roles: readonly Role[]): ReadonlyMap<Role, string> => {
      for (const role of roles)
        if (!tokens.has(role)) tokens.set(role, `pawl_${randomBytes(16).toString('hex')}`);
      const entries = roles.map((role) => ({
        name: `the ${role}er`,
        role,
        sha256: createHash('sha256')
          .update(tokens.get(role) ?? '')
          .digest('hex'),
      }));
      writeFileSync(file, JSON.stringify({ tokens: entries }));
      return tokens;
    },
  };
}

const bearer = (token: string | undefined): Readonly<Record<string, string>> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

/** The status of a request, and the code of its problem. The body is not read: it may have no end. */
async function ask(
  { url }: Service,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<readonly [status: number, code: string | undefined, challenge: string | null]> {
  const left = new AbortController();
  const response = await fetch(url + path, { method, headers, redirect: 'manual', signal: left.signal });
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  const code = isProblem ? ((await response.json()) as ProblemBody).code : undefined;
  left.abort();
  return [response.status, code, response.headers.get('www-authenticate')];
}

/** Everything that the service has, with names that nothing has. */
async function operationsOf(service: Service): Promise<readonly (readonly [method: string, path: string])[]> {
  const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as OpenApi;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(
      (method) => [method.toUpperCase(), path.replaceAll(/\{[^}]+\}/g, 'none')] as const,
    ),
  );
}

/** What everybody may see. */
const OPEN = ['/health', '/health/live', '/health/ready', '/openapi.json'];
/** What changes nothing although it is sent with POST. */
const READING = ['/v1/schedules/preview', '/v1/advisor/recommend'];
/** What only an admin may do: all else that changes something needs the role run. */
const ADMIN = /^(?:POST \/v1\/(?:pools|workers|maintenance)\/|GET \/v1\/settings$)/;

function roleOf(method: string, path: string): Role | 'none' {
  if (OPEN.includes(path)) return 'none';
  if (ADMIN.test(`${method} ${path}`)) return 'admin';
  return method === 'GET' || READING.includes(path) ? 'read' : 'run';
}

describe('with tokens', { concurrent: true, timeout: 60_000 }, () => {
  it('every route asks for one, and for the role that it needs', async (context) => {
    const { file, write } = tokensFile(context);
    const tokens = write('read', 'run', 'admin');
    const service = await setup(context, { PAWL_TOKENS_FILE: file });
    const operations = await operationsOf(service);
    expect(operations.length).toBeGreaterThan(20);
    for (const [method, path] of operations) {
      const what = `${method} ${path}`;
      const needed = roleOf(method, path);
      const without = await ask(service, method, path, {});
      const wrong = await ask(service, method, path, bearer('pawl_none'));
      const isOpen = needed === 'none';
      expect([without[0] === 401, wrong[0] === 401], what).toEqual([!isOpen, !isOpen]);
      const challenges = isOpen
        ? [null, null]
        : ['Bearer realm="pawl"', 'Bearer realm="pawl", error="invalid_token"'];
      expect([without[2], wrong[2]], what).toEqual(challenges);
      const answers: string[] = [];
      for (const role of ROLES) {
        const [status, code] = await ask(service, method, path, bearer(tokens.get(role)));
        answers.push(code === 'ROLE_TOO_LOW' || status === 401 ? `${role} refused` : `${role} let in`);
      }
      const least = isOpen ? 0 : ROLES.indexOf(needed);
      expect(answers, what).toEqual(
        ROLES.map((role, index) => `${role} ${index >= least ? 'let in' : 'refused'}`),
      );
    }
  });

  it('a token counts from when it is written until it is taken back', async (context) => {
    const { file, write } = tokensFile(context);
    const tokens = write('read');
    const service = await setup(context, { PAWL_TOKENS_FILE: file });
    const statusFor = async (role: Role): Promise<number> =>
      (await ask(service, 'GET', '/v1/runs', bearer(tokens.get(role))))[0];
    expect([await statusFor('read'), await statusFor('admin')]).toEqual([200, 401]);
    write('admin');
    expect([await statusFor('read'), await statusFor('admin')]).toEqual([401, 200]);
    // A file that is broken changes nothing, and is said in the log.
    writeFileSync(file, '{"tokens":');
    expect([await statusFor('read'), await statusFor('admin')]).toEqual([401, 200]);
    expect(service.stderr()).toContain('The tokens could not be read; those before stay in force.');
  });

  it('the first one shuts the door to all others', async (context) => {
    const { file, write } = tokensFile(context);
    const service = await setup(context);
    expect((await ask(service, 'GET', '/v1/runs', {}))[0]).toBe(200);
    const tokens = write('run');
    copyFileSync(file, join(service.dataDir, 'tokens.json'));
    expect((await ask(service, 'GET', '/v1/runs', {}))[0]).toBe(401);
    expect((await ask(service, 'GET', '/v1/runs', bearer(tokens.get('run'))))[0]).toBe(200);
  });

  it('what is no bearer token is none', async (context) => {
    const { file, write } = tokensFile(context);
    write('admin');
    const service = await setup(context, { PAWL_TOKENS_FILE: file });
    for (const authorization of ['Basic cGF3bDpwYXds', 'Bearer', 'pawl_1', 'Bearer a b']) {
      const [status, code] = await ask(service, 'GET', '/v1/runs', { authorization });
      expect([status, code], authorization).toEqual([401, 'TOKEN_INVALID']);
    }
  });
});

describe('where others reach the service', { concurrent: true, timeout: 60_000 }, () => {
  it('who has no token may run programs, if PAWL_PUBLIC says so, and nothing else', async (context) => {
    const { file, write } = tokensFile(context);
    const tokens = write('read');
    const service = await setup(context, {
      PAWL_HOST: '0.0.0.0',
      PAWL_ALLOW_UNSANDBOXED: '0',
      PAWL_PUBLIC: 'execute',
      PAWL_TOKENS_FILE: file,
    });
    const local = { ...service, url: `http://127.0.0.1:${service.port}` };
    for (const [method, path] of await operationsOf(local)) {
      const [status] = await ask(local, method, path, {});
      const isOpen = path === '/execute' || path.startsWith('/v1/exercises') || OPEN.includes(path);
      expect(status === 401, `${method} ${path}`).toBe(!isOpen);
    }
    // A token that is too low, or none, is not better than no token.
    expect((await ask(local, 'POST', '/execute', bearer(tokens.get('read'))))[0]).toBe(403);
    expect((await ask(local, 'POST', '/execute', bearer('pawl_none')))[0]).toBe(401);
  });

  it('the page is there for all, its data is not', async (context) => {
    const service = await setup(context, {
      PAWL_HOST: '0.0.0.0',
      PAWL_ALLOW_UNSANDBOXED: '0',
      PAWL_PUBLIC: 'execute',
    });
    const local = { ...service, url: `http://127.0.0.1:${service.port}` };
    expect((await ask(local, 'GET', '/', {}))[0]).toBe(302);
    expect((await ask(local, 'GET', '/ui/', {}))[0]).not.toBe(401);
    expect((await ask(local, 'GET', '/v1/events', {}))[0]).toBe(401);
  });
});
