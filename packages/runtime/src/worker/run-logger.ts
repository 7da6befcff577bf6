import type { Logger, LogMethod } from '@pawl/core';

/** A logger whose entries go to `write`, fields merged and only the JSON of them. */
export function createRunLogger(
  write: (level: string, message: string, fields: Readonly<Record<string, unknown>> | undefined) => void,
  bound: Readonly<Record<string, unknown>> = {},
): Logger {
  const method = (level: string): LogMethod => {
    return (first: string | object, message?: string) => {
      const fields = typeof first === 'string' ? bound : { ...bound, ...first };
      const text = typeof first === 'string' ? first : (message ?? '');
      write(level, text, Object.keys(fields).length > 0 ? fields : undefined);
    };
  };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (fields) => createRunLogger(write, { ...bound, ...fields }),
  };
}
