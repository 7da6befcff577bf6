import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { z } from 'zod';
import type { HttpError } from './http-errors.ts';
import { problem } from './api/problem-schema.ts';
import { type RequestPart, validate } from './request-validation.ts';

/** What a route answers when it fails. */
export function problemAnswers(...statuses: readonly number[]): Record<number, unknown> {
  const answer = {
    description: 'A problem (RFC 9457).',
    content: { 'application/problem+json': { schema: problem } },
  };
  return Object.fromEntries(statuses.map((status) => [status, answer]));
}

const NOTHING = z.strictObject({});

/** Makes zod's schemas those of the routes: they check bodies, and `GET /openapi.json` shows them. */
export async function describeRoutes(app: FastifyInstance, version: string): Promise<void> {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart = 'body' }) => (data) => {
    try {
      return { value: validate(schema, data ?? {}, httpPart as RequestPart) };
    } catch (error) {
      return { error: error as HttpError };
    }
  });
  app.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/v1/')) return;
    // What takes no fields takes none.
    const takesBody = route.method === 'POST' || route.method === 'PUT';
    route.schema = { querystring: NOTHING, ...(takesBody ? { body: NOTHING } : {}), ...route.schema };
  });
  // Answers are described by their schemas, not filtered.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Pawl', description: 'Runs Python programs in a sandbox.', version },
    },
    transform: ({ schema, url }) => ({ schema: jsonSchemas(schema) as FastifySchema, url }),
  });
  app.get(
    '/openapi.json',
    { schema: { summary: 'This description (OpenAPI 3.1).' }, config: { role: 'none' } },
    () => app.swagger(),
  );
}

/** Zod's schemas, wherever they are in it, as JSON Schemas. */
function jsonSchemas(value: unknown, io: 'input' | 'output' = 'input'): unknown {
  if (value instanceof z.ZodType) {
    const { $schema: _dialect, ...schema } = z.toJSONSchema(value, { io });
    return schema;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, jsonSchemas(part, key === 'response' ? 'output' : io)]),
  );
}
