import type { RunFailure } from './run.ts';

/** Enough for every stack that helps, and a run that fails stays small. */
const MAX_TEXT_LENGTH = 8_192;

/** An error as a run keeps it. Anything may be thrown, so anything is taken. */
export function toRunFailure(error: unknown): RunFailure {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: cut(String(error)), code: undefined, stack: undefined };
  }
  const { code } = error as { readonly code?: unknown };
  return {
    name: error.name,
    message: cut(error.message),
    code: typeof code === 'string' ? code : undefined,
    stack: error.stack === undefined ? undefined : cut(error.stack),
  };
}

function cut(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
}
