// A backend between learners and the executor: POST /api/execute { code, exerciseId }. It looks up the tests of the
// exercise and forwards both; what clients send and get is the same, wherever programs are run.
//
//   EXECUTOR_SERVICE_URL=http://127.0.0.1:3001 node examples/backend-proxy/server.mjs
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createShutdown, drainHttpServer, installSignalHandlers } from '@pawl/resilience';
import { createExecutorClient, ExecutorError } from './executor-client.mjs';
import { readTests } from './exercises.mjs';

const MAX_BODY_CHARACTERS = 1_048_576;
const SAMPLES = fileURLToPath(new URL('../../packages/python/src/exercises/', import.meta.url));
const {
  EXECUTOR_SERVICE_URL = 'http://127.0.0.1:3001',
  EXERCISES = SAMPLES,
  PORT = '3000',
  // Shorter ones are for trying out what happens when the executor is slow.
  EXECUTOR_TIMEOUT_MS = '15000',
  EXECUTOR_TOTAL_TIMEOUT_MS = '30000',
} = process.env;

const executor = createExecutorClient(EXECUTOR_SERVICE_URL, {
  attemptTimeoutMs: Number(EXECUTOR_TIMEOUT_MS),
  totalTimeoutMs: Number(EXECUTOR_TOTAL_TIMEOUT_MS),
});
const server = createServer((request, response) => {
  answer(request, response).catch((error) => refuse(response, error));
});

async function answer(request, response) {
  if (request.method === 'GET' && request.url === '/health') {
    return send(response, 200, { status: 'ok', executor: executor.breaker.state });
  }
  if (request.method !== 'POST' || request.url !== '/api/execute') {
    return send(response, 404, { error: 'There is no such route.' });
  }
  const { code, exerciseId } = await readBody(request);
  const testCode = exerciseId === undefined ? undefined : await readTests(EXERCISES, exerciseId);
  if (exerciseId !== undefined && testCode === undefined) {
    return send(response, 404, { error: 'Exercise not found' });
  }
  const left = new AbortController();
  response.once('close', () => left.abort());
  return send(response, 200, await executor.execute({ code, testCode }, { signal: left.signal }));
}

async function readBody(request) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += part;
    if (text.length > MAX_BODY_CHARACTERS) throw new ExecutorError('The body is too large.', { status: 413 });
  }
  const body = parse(text);
  if (typeof body?.code !== 'string') throw new ExecutorError('`code` is missing.', { status: 400 });
  if (!['undefined', 'string'].includes(typeof body.exerciseId)) {
    throw new ExecutorError('`exerciseId` is no text.', { status: 400 });
  }
  return body;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ExecutorError('The body is not valid JSON.', { status: 400 });
  }
}

function refuse(response, error) {
  if (response.destroyed) return;
  if (!(error instanceof ExecutorError)) console.error(error);
  const { status = 500, retryAfterMs, message } = error;
  if (retryAfterMs !== undefined)
    response.setHeader('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  send(response, status, { error: status === 500 ? 'The service failed.' : message });
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const shutdown = createShutdown();
shutdown.register('http', ({ signal }) => drainHttpServer(server, { signal }));
installSignalHandlers(shutdown);
server.listen(Number(PORT), '127.0.0.1');
await once(server, 'listening');
console.log(`The backend listens on http://127.0.0.1:${server.address().port}`);
