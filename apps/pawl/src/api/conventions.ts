import { z } from 'zod';

// What all requests and answers have in common: JSON in camelCase, times as ISO 8601 in UTC, durations in milliseconds,
// `null` for what is absent from an answer, and no field in a request that is not described.

/** Longest path of a file. */
const MAX_PATH_CHARACTERS = 4_096;
/** A year. */
const MAX_DURATION_MS = 31_536_000_000;

/** A moment in an answer. */
export const timeAnswer: z.ZodType<string> = z.string().meta({ format: 'date-time' });

/** A moment in a request, with a time zone; gives milliseconds since the epoch. */
export const timeRequest: z.ZodType<number, string> = z
  .string()
  .max(40)
  .refine((text) => /^\d{4}-\d\d-\d\dT/.test(text) && /(?:Z|[+-]\d\d:\d\d)$/.test(text), {
    error: 'a time such as `2026-03-08T07:00:00Z`',
    abort: true,
  })
  .refine((text) => !Number.isNaN(Date.parse(text)), 'a time such as `2026-03-08T07:00:00Z`')
  .meta({ format: 'date-time' })
  .transform((text) => Date.parse(text));

/** A duration in a request, in milliseconds. */
export const durationRequest = (minMs = 0, maxMs: number = MAX_DURATION_MS): z.ZodType<number, number> =>
  z.number().min(minMs).max(maxMs);

/** A text that can go where texts end at a zero byte: arguments, paths, environment variables. */
export const plainText = (maxCharacters: number): z.ZodString =>
  z
    .string()
    .max(maxCharacters)
    // oxlint-disable-next-line no-control-regex
    .regex(/^[^\0]*$/, 'a text without zero bytes');

/** The path of a file or folder on the machine of the service. */
export const pathRequest: z.ZodString = plainText(MAX_PATH_CHARACTERS).min(1);

/** An integer in the address of a request. */
export function queryInteger(min: number, max: number): z.ZodType<number, string> {
  const rule = `an integer from ${min} to ${max}`;
  return (
    z
      .string()
      .regex(/^\d{1,16}$/, { error: rule, abort: true })
      .transform(Number)
      .refine((value) => value >= min && value <= max, rule)
      // In an address everything is text; the description says what it means.
      .meta({ type: 'integer', minimum: min, maximum: max })
  );
}

/** Where a list goes on, as the page before said. */
export const cursorRequest: z.ZodString = z.string().min(1).max(200);

/** The end of every list. */
export const nextCursorAnswer: z.ZodNullable<z.ZodString> = z
  .string()
  .nullable()
  .describe('Where the next page begins; null on the last.');

/** Milliseconds since the epoch, as answers have them. */
export function toIso(moment: number): string;
export function toIso(moment: number | undefined): string | null;
export function toIso(moment: number | undefined): string | null {
  return moment === undefined ? null : new Date(moment).toISOString();
}
