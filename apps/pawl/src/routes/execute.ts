import { expectedMessage } from '@pawl/core';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type FieldFault, HttpError } from '../http-errors.ts';
import type { PythonRunner } from '../python/python-runner.ts';

/** In characters, not bytes. */
const MAX_CODE_CHARACTERS = 50_000;

const bodySchema = z.strictObject({
  code: z.string({ error: 'a string' }).min(1, 'a non-empty string'),
  runTests: z.literal(false, { error: 'absent or false: tests are not run yet' }).optional(),
});

/** `POST /execute {code}` runs a Python program. A program that fails is a success of the service: 200. */
export function executeRoute(app: FastifyInstance, runner: PythonRunner): void {
  app.post('/execute', async (request, reply) => {
    const { code } = parseBody(request.body);
    const clientLeft = new AbortController();
    // Nobody waits for the result any more: the program is ended.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) {
        clientLeft.abort(new HttpError(499, 'CLIENT_LEFT', 'The client closed the connection.'));
      }
    });
    return runner.execute({ code }, { signal: clientLeft.signal });
  });
}

function parseBody(body: unknown): z.infer<typeof bodySchema> {
  const result = bodySchema.safeParse(body ?? {});
  if (!result.success) {
    const faults = result.error.issues.flatMap((issue) => faultsOf(issue, body));
    throw new HttpError(400, 'BODY_INVALID', faults.map(({ message }) => message).join(' '), faults);
  }
  const { code } = result.data;
  // Characters beyond the basic plane count once; only code that may be too long needs counting.
  const characters = code.length > MAX_CODE_CHARACTERS ? Array.from(code).length : code.length;
  if (characters > MAX_CODE_CHARACTERS) {
    const message = `Expected \`code\` to be at most ${MAX_CODE_CHARACTERS} characters, got ${characters}.`;
    throw new HttpError(413, 'CODE_TOO_LARGE', message, [{ field: 'code', message }]);
  }
  return result.data;
}

function faultsOf(issue: z.core.$ZodIssue, body: unknown): readonly FieldFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((field) => ({ field, message: `\`${field}\` is not a field of this request.` }));
  }
  const field = issue.path.length === 0 ? 'body' : issue.path.join('.');
  const rule = field === 'body' ? 'a JSON object' : issue.message;
  const value = field === 'body' ? body : (body as Record<string, unknown> | undefined)?.[field];
  return [{ field, message: expectedMessage(field, rule, value) }];
}
