import { expectedMessage } from '@pawl/core';
import type { z } from 'zod';
import { type FieldFault, HttpError } from './http-errors.ts';

/** The parts of a request that have fields, as fastify names them. */
export type RequestPart = 'body' | 'querystring' | 'params' | 'headers';

const PARTS: Readonly<Record<RequestPart, { readonly name: string; readonly code: string }>> = {
  body: { name: 'body', code: 'BODY_INVALID' },
  querystring: { name: 'query', code: 'QUERY_INVALID' },
  params: { name: 'path', code: 'PATH_INVALID' },
  headers: { name: 'headers', code: 'HEADERS_INVALID' },
};

/**
 * Checks data against a schema. The rules that a schema breaks are put in our words, so that schemas need not.
 * @throws HttpError naming each field, its value and the rule; 413 when all that is wrong is too large
 */
export function validate<T>(schema: z.ZodType<T>, data: unknown, part: RequestPart = 'body'): T {
  const result = schema.safeParse(data, { error: ruleOf });
  if (result.success) return result.data;
  throw toValidationError(result.error, data, part);
}

/** Says which fields are wrong, and how. 413 when all that is wrong is too large. */
function toValidationError({ issues }: z.ZodError, data: unknown, part: RequestPart = 'body'): HttpError {
  const { name, code } = PARTS[part];
  const faults = issues.flatMap((issue) => faultsOf(issue, data, name));
  const message = faults.map((fault) => fault.message).join(' ');
  return issues.every((issue) => issue.code === 'custom' && issue.params?.['status'] === 413)
    ? new HttpError(413, 'CODE_TOO_LARGE', message, faults)
    : new HttpError(400, code, message, faults);
}

const TYPE_RULES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'a boolean',
  array: 'a list',
  object: 'a JSON object',
  record: 'a JSON object',
};

/** What a value should have been. */
function ruleOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_RULES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map((value) => `\`${String(value)}\``).join(', ')}`;
    case 'too_small':
      return sizeRule(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least');
    case 'too_big':
      return sizeRule(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most');
    case 'invalid_format':
      return issue.format === 'regex' ? `a text that matches ${issue.pattern}` : `a valid ${issue.format}`;
    case 'invalid_key':
      return 'an object with plain names';
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_union':
    case 'invalid_element':
    case 'unrecognized_keys':
    case 'custom':
    default:
      return undefined;
  }
}

function sizeRule(origin: string, size: number | bigint, comparison: string): string {
  switch (origin) {
    case 'string':
      return size === 1 && comparison === 'at least'
        ? 'a non-empty string'
        : `a string of ${comparison} ${size} characters`;
    case 'array':
      return size === 1 && comparison === 'at least' ? 'a non-empty list' : `a list of ${comparison} ${size}`;
    default:
      return `a number of ${comparison} ${size}`;
  }
}

function faultsOf(issue: z.core.$ZodIssue, data: unknown, part: string): readonly FieldFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const field = nameOf([...issue.path, key]);
      return { field, message: `\`${field}\` is not a field of this request.` };
    });
  }
  const field = issue.path.length === 0 ? part : nameOf(issue.path);
  if (issue.code === 'custom') return [{ field, message: `Expected \`${field}\` to be ${issue.message}.` }];
  return [{ field, message: expectedMessage(field, issue.message, valueAt(data, issue.path)) }];
}

/** `files[0].path` */
function nameOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[part],
    data,
  );
}
