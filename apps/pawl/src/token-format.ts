import { z } from 'zod';
import { ROLES } from './access.ts';

const storedToken = z.strictObject({
  name: z.string().min(1),
  role: z.enum(ROLES),
  sha256: z.string().regex(/^[\da-f]{64}$/i, 'a SHA-256 in hexadecimal'),
});

const tokenFile = z.strictObject({ tokens: z.array(storedToken) });

/** A token as it is kept: its hash, so that who reads the file can't use it. */
export type StoredToken = z.infer<typeof storedToken>;

/** @throws Error that names the file and what is wrong in it */
export function parseTokens(content: string, file: string): readonly StoredToken[] {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new Error(`${file} is no file of tokens: ${String(error)}`, { cause: error });
  }
  const result = tokenFile.safeParse(value);
  if (result.success) return result.data.tokens;
  const faults = result.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the file'}: ${message}`,
  );
  throw new Error(`${file} is no file of tokens: ${faults.join('; ')}`);
}

export function formatTokens(tokens: readonly StoredToken[]): string {
  return `${JSON.stringify({ tokens }, undefined, 2)}\n`;
}
