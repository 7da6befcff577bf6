import { expectedMessage } from '@pawl/core';
import type { z } from 'zod';
import { type FieldFault, HttpError } from './http-errors.ts';

/** Says which fields of a body are wrong, and how. 413 when all that is wrong is too large. */
export function toValidationError({ issues }: z.ZodError, body: unknown): HttpError {
  const faults = issues.flatMap((issue) => faultsOf(issue, body));
  const message = faults.map((fault) => fault.message).join(' ');
  return issues.every((issue) => issue.code === 'custom' && issue.params?.['status'] === 413)
    ? new HttpError(413, 'CODE_TOO_LARGE', message, faults)
    : new HttpError(400, 'BODY_INVALID', message, faults);
}

function faultsOf(issue: z.core.$ZodIssue, body: unknown): readonly FieldFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const field = nameOf([...issue.path, key]);
      return { field, message: `\`${field}\` is not a field of this request.` };
    });
  }
  const field = issue.path.length === 0 ? 'body' : nameOf(issue.path);
  if (issue.code === 'custom') return [{ field, message: `Expected \`${field}\` to be ${issue.message}.` }];
  return [{ field, message: expectedMessage(field, issue.message, valueAt(body, issue.path)) }];
}

/** `files[0].path` */
function nameOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[part],
    body,
  );
}
