import { PawlError } from '@pawl/core';
import type { RunFailure } from './run.ts';

/** Enough for every stack that helps, and a run that fails stays small. */
const MAX_TEXT_LENGTH = 8_192;
/** Longest text of the details, in characters of JSON. */
const MAX_DETAILS_LENGTH = 65_536;

/** An error as a run keeps it. Anything may be thrown, so anything is taken. */
export function toRunFailure(error: unknown): RunFailure {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: cut(String(error)), code: undefined, stack: undefined };
  }
  const { code } = error as { readonly code?: unknown };
  const details = error instanceof PawlError ? detailsOf(error) : undefined;
  return {
    name: error.name,
    message: cut(error.message),
    code: typeof code === 'string' ? code : undefined,
    stack: error.stack === undefined ? undefined : cut(error.stack),
    ...(details === undefined ? {} : { details }),
  };
}

/** Of our own errors alone: the fields of others may hold anything, secrets included. */
function detailsOf({ code: _code, name: _name, ...fields }: PawlError): RunFailure['details'] {
  try {
    const text = JSON.stringify(fields);
    return text === '{}' || text.length > MAX_DETAILS_LENGTH
      ? undefined
      : (JSON.parse(text) as Readonly<Record<string, unknown>>);
  } catch {
    return undefined;
  }
}

function cut(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
}
