import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { hasCode } from '@pawl/core';
import writeFileAtomic from 'write-file-atomic';
import { type Role, ROLES } from '../access.ts';
import { readConfig } from '../config.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

/** A token as it is kept: its hash, so that who reads the file can't use it. */
export interface StoredToken {
  readonly name: string;
  readonly role: Role;
  readonly sha256: string;
}

/** Where the tokens are: as the option says, or as the settings of the service say. */
export function tokensFileOf(option: string | undefined): string {
  const { PAWL_TOKENS_FILE = '' } = process.env;
  if (option !== undefined) return resolve(option);
  if (PAWL_TOKENS_FILE !== '') return resolve(PAWL_TOKENS_FILE);
  // The file need not be there yet, wherever the service is to listen.
  return readConfig({ ...process.env, PAWL_TOKENS_FILE: '', PAWL_HOST: '127.0.0.1' }).tokensFile;
}

/** Makes a token and adds its hash. @returns the token, which is kept nowhere */
export async function addToken(file: string, name: string, role: Role): Promise<string> {
  const tokens = await readTokens(file);
  if (tokens.some((token) => token.name === name)) {
    throw new CommandError(
      exitCodes.failed,
      `there is a token ${name} in ${file}; \`pawl token rm ${name}\` takes it back`,
    );
  }
  const token = `pawl_${randomBytes(32).toString('base64url')}`;
  const sha256 = createHash('sha256').update(token).digest('hex');
  await writeTokens(file, [...tokens, { name, role, sha256 }]);
  return token;
}

export async function removeToken(file: string, name: string): Promise<void> {
  const tokens = await readTokens(file);
  const others = tokens.filter((token) => token.name !== name);
  if (others.length === tokens.length) {
    throw new CommandError(exitCodes.noInput, `there is no token ${name} in ${file}`);
  }
  await writeTokens(file, others);
}

/** All tokens, none where there is no file. */
export async function readTokens(file: string): Promise<readonly StoredToken[]> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw fileError(error, file);
  }
  try {
    const { tokens } = JSON.parse(content) as { readonly tokens?: unknown };
    if (Array.isArray(tokens) && tokens.every(isToken)) return tokens;
  } catch {
    // Said below.
  }
  throw new CommandError(exitCodes.config, `${file} is no file of tokens`);
}

/** For its owner alone, and whole at any moment. */
async function writeTokens(file: string, tokens: readonly StoredToken[]): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFileAtomic(file, `${JSON.stringify({ tokens }, undefined, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    throw fileError(error, file);
  }
}

function fileError(error: unknown, file: string): unknown {
  if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS')) return error;
  return new CommandError(exitCodes.config, `can't use ${file} for tokens: ${error.message}`, {
    cause: error,
  });
}

function isToken(value: unknown): value is StoredToken {
  if (typeof value !== 'object' || value === null) return false;
  const { name, role, sha256 } = value as Partial<Record<keyof StoredToken, unknown>>;
  return typeof name === 'string' && ROLES.includes(role as Role) && typeof sha256 === 'string';
}
