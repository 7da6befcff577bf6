import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { z } from 'zod';
import { toValidationError } from './request-validation.ts';

const problem = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('Names the kind of problem for programs.'),
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});

/** What a route answers when it fails. */
export function problemAnswers(...statuses: readonly number[]): Record<number, unknown> {
  const answer = {
    description: 'A problem (RFC 9457).',
    content: { 'application/problem+json': { schema: problem } },
  };
  return Object.fromEntries(statuses.map((status) => [status, answer]));
}

/** Makes zod's schemas those of the routes: they check bodies, and `GET /openapi.json` shows them. */
export async function describeRoutes(app: FastifyInstance, version: string): Promise<void> {
  app.setValidatorCompiler<z.ZodType>(({ schema }) => (data) => {
    const result = schema.safeParse(data ?? {});
    return result.success ? { value: result.data } : { error: toValidationError(result.error, data) };
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
  app.get('/openapi.json', { schema: { summary: 'This description (OpenAPI 3.1).' } }, () => app.swagger());
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
