import { CircuitOpenError } from '@pawl/resilience';
import { CrashLoopError, PoolStoppedError, QueueFullError } from '@pawl/runtime';
import { type Logger, pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { HttpError } from './http-errors.ts';
import { createHttpServer } from './http-server.ts';

const createServer = (logger: Logger): ReturnType<typeof createHttpServer> =>
  createHttpServer({ logger, isPublic: false, corsOrigins: [] });

/** What the server answers when a route throws `error`, and what it logs. */
async function answerTo(failure: unknown) {
  const log: Record<string, unknown>[] = [];
  const logger = pino(
    { base: null },
    { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const app = await createServer(logger);
  app.get('/fail', async () => {
    throw failure as Error;
  });
  const { statusCode, headers, body } = await app.inject({ url: '/fail', headers: { host: 'localhost' } });
  await app.close();
  return { statusCode, headers, problem: JSON.parse(body) as Record<string, unknown>, log };
}

describe('an error of a route', () => {
  it('that has a status is answered as a problem, with the fields that are wrong', async () => {
    const faults = [{ field: 'code', message: 'No.' }];
    const { statusCode, headers, problem, log } = await answerTo(
      new HttpError(413, 'CODE_TOO_LARGE', 'No.', faults),
    );
    expect(statusCode).toBe(413);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(problem).toEqual({
      type: 'about:blank',
      title: 'Payload Too Large',
      status: 413,
      code: 'CODE_TOO_LARGE',
      detail: 'No.',
      errors: faults,
    });
    expect(log).toEqual([]);
  });

  it('that nobody expected tells the client nothing and the log everything', async () => {
    const { statusCode, problem, log } = await answerTo(new Error('password is hunter2'));
    expect(statusCode).toBe(500);
    expect(problem).toMatchObject({ code: 'INTERNAL', detail: 'The service failed. Its log says more.' });
    expect(log).toMatchObject([{ level: 50, err: { message: 'password is hunter2' } }]);
  });

  it.each(['text', undefined, null, 5, { statusCode: 200 }, { statusCode: 503, message: 'secret' }])(
    'that is %j is answered with 500',
    async (thrown) => {
      const { statusCode, problem } = await answerTo(thrown);
      expect(statusCode).toBe(500);
      expect(problem).toMatchObject({ code: 'INTERNAL', detail: 'The service failed. Its log says more.' });
    },
  );

  it.each([
    ['a full queue', new QueueFullError(3), 'QUEUE_FULL', '1'],
    ['a pool that stops', new PoolStoppedError('Run 1 was refused'), 'POOL_STOPPED', '1'],
    [
      'a crash loop, with when to come back',
      new CrashLoopError(3, 10_000, 4_100, undefined),
      'CRASH_LOOP',
      '5',
    ],
    [
      'an open breaker, with when to come back',
      new CircuitOpenError({ breaker: 'The breaker', state: 'open', retryAfterMs: 2_500 }),
      'CIRCUIT_OPEN',
      '3',
    ],
    ['no time left', Object.assign(new Error('slow'), { code: 'TIMEOUT' }), 'TIMEOUT', '1'],
    [
      'a wait that is nonsense',
      Object.assign(new Error('x'), { code: 'QUEUE_FULL', retryAfterMs: Infinity }),
      'QUEUE_FULL',
      '1',
    ],
  ])('for %s is 503 with Retry-After', async (_what, error, code, retryAfter) => {
    const { statusCode, headers, problem } = await answerTo(error);
    expect(statusCode).toBe(503);
    expect(headers['retry-after']).toBe(retryAfter);
    expect(problem).toMatchObject({ code, detail: expect.stringContaining(error.message) });
  });
});

describe('the log of the server', () => {
  it.each(['debug', 'info', 'warn', 'error'] as const)(
    'at level %s has no line for a request',
    async (level) => {
      const lines: string[] = [];
      const app = await createServer(pino({ level }, { write: (line) => void lines.push(line) }));
      await app.inject({ url: '/nothing', headers: { host: 'localhost' } });
      await app.close();
      expect(lines).toEqual([]);
    },
  );

  it('is empty at level silent, also when something fails', async () => {
    const lines: string[] = [];
    const app = await createServer(pino({ level: 'silent' }, { write: (line) => void lines.push(line) }));
    app.get('/fail', async () => {
      throw new Error('x');
    });
    await app.inject({ url: '/fail', headers: { host: 'localhost' } });
    await app.close();
    expect(lines).toEqual([]);
  });
});
