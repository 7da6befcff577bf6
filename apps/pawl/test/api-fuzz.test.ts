import { fileURLToPath } from 'node:url';
import fc, { type Arbitrary } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { arbitraryOf, type Hints, type JsonSchema, nearlyOf } from './schema-arbitrary.ts';
import { type Service, startService } from './start-service.ts';

interface Operation {
  readonly method: string;
  /** `/v1/runs/{id}` */
  readonly path: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: 'path' | 'query';
    readonly required?: boolean;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }>
  >;
}

interface Request {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

const MODULES = fileURLToPath(new URL('../../../examples/modules', import.meta.url));
/** What every answer must come within, in milliseconds: the workers that one waits for may take 10 s to start. */
const ANSWER_MS = 20_000;
const RUNS = 20;

/** So that the addresses of a schedule find one, whichever are made. */
const HOURLY = { id: 'greeting', everyMs: 3_600_000, command: { file: 'true' } };

type Fields = Readonly<Record<string, Arbitrary<unknown>>>;

/** Requests are to be as they like, but not to start other programs, to wait for long, or to start many workers. */
const BODY: Hints = {
  fields: {
    file: fc.constantFrom('true', 'false', '/no/such/program', './here'),
    path: fc.constantFrom(`${MODULES}/report/report.mjs`, 'notes.txt', '/no/such/script.py', '/'),
    interpreter: fc.constantFrom('true', 'no-such-interpreter'),
    cwd: fc.constantFrom('/tmp', '/', '/no/such/folder'),
    code: fc.constantFrom('print(1)', '1/0', 'import nothing', 'é = "🐍"', '('),
    testCode: fc.constantFrom('assert True', 'assert output'),
    parameters: fc.constantFrom({}, { seconds: 0 }, { name: 'Ada' }, { month: '2026-03' }, { month: 'May' }),
    id: fc.constantFrom('countdown', 'greeting'),
    exerciseId: fc.constantFrom('greeting', 'none'),
    limits: fc.constantFrom({}, { wallMs: 1_000 }, { wallMs: -1 }),
    cron: fc.constantFrom('*/5 * * * *', '30 2 * * 1-5', '0 0 29 2 *', '@daily', '61 * * * *'),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'No/Where'),
    size: fc.integer({ min: 1, max: 2 }),
    dryRun: fc.constant(true),
  },
  adjust: keepRules,
};
const QUERY: Hints = {
  fields: {
    timeoutMs: fc.integer({ min: 0, max: 20 }),
    state: fc.constantFrom('queued', 'queued,running', 'none'),
    cursor: fc.constantFrom(undefined, 'a'),
    from: fc.constantFrom(0, undefined),
  },
};

/** Names in the addresses of a resource: of those there are, and of others. */
function namesOf(path: string, runIds: readonly string[]): Fields {
  const names = (...some: readonly string[]): Arbitrary<string> => fc.constantFrom(...some, 'nothing');
  return {
    id: path.startsWith('/v1/runs/')
      ? names(...runIds)
      : names('countdown', 'greeting', ...(path.startsWith('/v1/workers/') ? ['python.worker-1'] : [])),
    job: names('old-runs', 'temp-files', 'output-logs', 'store-check'),
    name: names('python', 'periodic'),
  };
}

/** What the description of a run and of a schedule can only say in words. */
function keepRules(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const kept = { ...value };
  const remove = (...names: readonly string[]): void => {
    for (const name of names) delete kept[name];
  };
  if (typeof value['run'] === 'object') kept['run'] = { ...value['run'], idempotencyKey: undefined };
  const kinds = ['script', 'command', 'python', 'module'].filter((kind) => kind in value);
  // One of them, whichever: as many requests are of each kind.
  const chosen = kinds[JSON.stringify(value).length % Math.max(1, kinds.length)];
  remove(...kinds.filter((kind) => kind !== chosen));
  if ('testCode' in value) remove('exerciseId');
  if (typeof value['cron'] === 'string') remove('everyMs', 'pace', 'startAt');
  else if (typeof value['everyMs'] === 'number')
    remove('cron', 'timeZone', 'dstGap', 'dstOverlap', 'startAt');
  return kept;
}

const hostileText = fc.oneof(
  fc.constantFrom(
    '../../etc/passwd',
    '..%2f..%2fetc',
    '%00',
    '\0',
    '.',
    '..',
    '__proto__',
    'constructor',
    'a/b',
    '💣',
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constant('x'.repeat(3_000)),
);

/** Deep and wide enough to hurt who walks it carelessly. */
const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
const hostileBody = fc.oneof(
  fc.constantFrom(
    '',
    '{',
    'null',
    '[]',
    '"text"',
    '{"__proto__":{"role":"admin"}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"run":{"__proto__":{"x":1}}}',
    '{"parameters":{"__proto__":"x"}}',
    DEEP,
    `{"a":${DEEP}}`,
    `{"code":"${'x'.repeat(900_000)}"}`,
    '{"timeoutMs":1e999}',
    '{"a":1,"a":2}',
    '\uFEFF{}',
  ),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.json(),
);

let service: Service;
let operations: readonly Operation[];
beforeAll(async () => {
  service = await startService({ PAWL_MODULES: MODULES, PAWL_LOG_LEVEL: 'error' });
  const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Omit<Operation, 'method' | 'path'>>>>>;
  };
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
  );
  // The others find what they need as long as nothing is deleted.
  const isDelete = ({ method }: Operation): boolean => method === 'DELETE';
  operations = [...all.filter((each) => !isDelete(each)), ...all.filter(isDelete)];
});
afterAll(() => service.dispose());

describe('every route of the description', { timeout: 120_000 }, () => {
  it('takes what it describes, and answers as it describes', async () => {
    const runIds = await submitSomeRuns();
    await send('POST', '/v1/schedules', JSON.stringify(HOURLY));
    const succeeded = new Set<Operation>();
    for (const operation of operations) {
      const request = requestOf(operation, arbitraryOf, runIds);
      await check(operation, request, async (answer) => {
        if (answer.status < 400) succeeded.add(operation);
        expect(undescribed(operation, answer)).toBe(undefined);
      });
    }
    // What is asked for is what people ask for, not only what is refused.
    const failed = operations
      .filter((operation) => !succeeded.has(operation))
      .map(({ method, path }) => `${method} ${path}`);
    expect(failed.length, failed.join(', ')).toBeLessThan(operations.length / 5);
  });

  it('refuses what is nearly that, or answers it', async () => {
    for (const operation of operations) {
      const request = requestOf(operation, nearlyOf, []);
      await check(operation, request, isAnswered);
    }
  });

  it('refuses fields that it does not know, by name', async () => {
    for (const { method, path, requestBody } of operations.filter((each) => each.path.startsWith('/v1/'))) {
      const at = path.replaceAll(/\{\w+\}/g, 'countdown');
      const queried = await send(method, `${at}?colour=red`, requestBody === undefined ? undefined : '{}');
      expect([method, path, queried.status]).toEqual([method, path, 400]);
    }
    for (const { method, path } of operations.filter(({ requestBody }) => requestBody !== undefined)) {
      const posted = await send(method, path.replaceAll(/\{\w+\}/g, 'countdown'), '{"colour":"red"}');
      expect([method, path, posted.status]).toEqual([method, path, 400]);
      expect(posted.text).toContain('`colour` is not a field of this request.');
    }
  });

  it('stands whatever comes', async () => {
    for (const operation of operations) {
      const { method, path, parameters = [] } = operation;
      const request = fc.record({
        path: fc.record(Object.fromEntries(namesIn(path).map((name) => [name, hostileText]))),
        query: fc.dictionary(
          fc.oneof(hostileText, fc.constantFrom(...parameters.map(({ name }) => name), 'x')),
          hostileText,
          { maxKeys: 3 },
        ),
        body: hostileBody,
      });
      await fc.assert(
        fc.asyncProperty(request, async ({ body, ...where }) => {
          isAnswered(await send(method, addressOf(path, where), method === 'GET' ? undefined : body));
        }),
        { numRuns: RUNS },
      );
    }
  });

  it('leaves the service well', async () => {
    expect(await (await fetch(`${service.url}/health/live`)).json()).toEqual({ status: 'live' });
    expect(service.stderr()).toBe('');
    expect(({} as Record<string, unknown>)['role']).toBe(undefined);
  });
});

/** A run that has ended, one that was cancelled, and one that waits. */
async function submitSomeRuns(): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const how of [{}, { delayMs: 3_600_000 }, { delayMs: 3_600_000, key: 'k' }]) {
    const { text } = await send(
      'POST',
      '/v1/runs',
      JSON.stringify({ command: { file: 'echo', args: ['hello'] }, ...how }),
    );
    ids.push((JSON.parse(text) as { id: string }).id);
  }
  await send('GET', `/v1/runs/${ids[0]}/wait`);
  await send('POST', `/v1/runs/${ids[1]}/cancel`, '{}');
  return ids;
}

function requestOf(
  { path, parameters = [], requestBody }: Operation,
  make: (schema: JsonSchema, hints: Hints) => Arbitrary<unknown>,
  runIds: readonly string[],
): Arbitrary<Request> {
  const query = parameters.filter((parameter) => parameter.in === 'query');
  const schema: JsonSchema = {
    type: 'object',
    properties: Object.fromEntries(query.map((parameter) => [parameter.name, parameter.schema])),
    // Without it, it would wait as long as it may.
    required: query.map(({ name }) => name).filter((name) => name === 'timeoutMs'),
  };
  const body = requestBody?.content['application/json']?.schema;
  return fc.record({
    path: fc.record(
      Object.fromEntries(
        namesIn(path).map((name) => [name, namesOf(path, runIds)[name] ?? fc.constant('a')]),
      ),
    ) as Arbitrary<Request['path']>,
    query: make(schema, QUERY) as Arbitrary<Request['query']>,
    body: body === undefined ? fc.constant(undefined) : make(body, BODY),
  });
}

async function check(
  { method, path }: Operation,
  request: Arbitrary<Request>,
  look: (answer: Answer) => void | Promise<void>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(request, async ({ body, ...where }) => {
      const answer = await send(
        method,
        addressOf(path, where),
        body === undefined ? undefined : JSON.stringify(body),
      );
      isAnswered(answer);
      await look(answer);
    }),
    { numRuns: RUNS },
  );
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** What was asked for, for messages. */
  readonly what: string;
}

/** How an answer differs from its description. */
function undescribed({ responses }: Operation, { status, text, what }: Answer): string | undefined {
  const described = responses[status];
  if (described === undefined) return `${what}: ${status} ${text.slice(0, 300)} is not described`;
  if (status === 204) return text === '' ? undefined : `${what}: ${text}`;
  const schema = described.content?.['application/json']?.schema;
  const message = schema && answerSchema(schema).safeParse(JSON.parse(text)).error?.message;
  return message === undefined ? undefined : `${what}: ${message}`;
}

/** No failure of the service, and a problem for every error. */
function isAnswered({ status, type, text, what }: Answer): void {
  expect(status === 503 || status < 500, `${what}: ${status} ${text}`).toBe(true);
  if (status < 400) return;
  expect(type, what).toMatch(/^application\/problem\+json/);
  expect(JSON.parse(text), what).toMatchObject({
    type: 'about:blank',
    status,
    code: expect.any(String),
    detail: expect.any(String),
  });
}

async function send(method: string, address: string, body?: string): Promise<Answer> {
  const url = `${service.url}${address}`;
  const what = `${method} ${address.slice(0, 300)} ${body?.slice(0, 500) ?? ''}`;
  const signal = AbortSignal.timeout(ANSWER_MS);
  const response = await fetch(url, {
    method,
    signal,
    redirect: 'manual',
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
  }).catch(async (error: unknown) => {
    throw new Error(`There was no answer to ${what}\n${await whatIsGoingOn()}`, { cause: error });
  });
  const type = response.headers.get('content-type') ?? '';
  // A stream goes on.
  if (type.startsWith('text/event-stream')) await response.body?.cancel();
  const text = type.startsWith('text/event-stream') ? '' : await response.text();
  return { status: response.status, type, text, what };
}

async function whatIsGoingOn(): Promise<string> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const looks = ['/v1/pools', '/v1/workers', '/v1/runs/counts'].map(async (path) => {
    const response = await fetch(service.url + path, { signal });
    return response.text();
  });
  const texts = await Promise.all(looks).catch((error: unknown) => [String(error)]);
  return [...texts, service.stderr()].join('\n');
}

function namesIn(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

function addressOf(path: string, { path: values, query }: Pick<Request, 'path' | 'query'>): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent(wellFormed(values[name] ?? '')),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.append(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return search.size === 0 ? filled : `${filled}?${search.toString()}`;
}

/** Half of a pair of surrogates is no text that an address can hold. */
function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '?');
}

const schemas = new Map<JsonSchema, z.ZodType>();

function answerSchema(schema: JsonSchema): z.ZodType {
  const known = schemas.get(schema) ?? z.fromJSONSchema(schema as never);
  schemas.set(schema, known);
  return known;
}
