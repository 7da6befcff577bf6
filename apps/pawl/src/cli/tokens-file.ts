import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { hasCode } from '@pawl/core';
import { fixedBackoff, retry } from '@pawl/resilience';
import writeFileAtomic from 'write-file-atomic';
import type { Role } from '../access.ts';
import { readConfig } from '../config.ts';
import { formatTokens, parseTokens, type StoredToken } from '../token-format.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

/** How often another command is given time to write the file, and how much each time, in milliseconds. */
const LOCK_ATTEMPTS = 100;
const LOCK_PAUSE_MS = 50;

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
  const token = `pawl_${randomBytes(32).toString('base64url')}`;
  const sha256 = createHash('sha256').update(token).digest('hex');
  await changeTokens(file, (tokens) => {
    if (tokens.some((each) => each.name === name)) {
      throw new CommandError(
        exitCodes.failed,
        `there is a token ${name} in ${file}; \`pawl token rm ${name}\` takes it back`,
      );
    }
    return [...tokens, { name, role, sha256 }];
  });
  return token;
}

export async function removeToken(file: string, name: string): Promise<void> {
  await changeTokens(file, (tokens) => {
    const others = tokens.filter((token) => token.name !== name);
    if (others.length < tokens.length) return others;
    throw new CommandError(exitCodes.noInput, `there is no token ${name} in ${file}`);
  });
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
    return parseTokens(content, file);
  } catch (error) {
    throw new CommandError(exitCodes.config, (error as Error).message, { cause: error });
  }
}

/** One command after another. The file is for its owner alone, and whole at any moment. */
async function changeTokens(
  file: string,
  change: (tokens: readonly StoredToken[]) => readonly StoredToken[],
): Promise<void> {
  const lock = `${file}.lock`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await takeLock(lock);
  } catch (error) {
    throw fileError(error, file);
  }
  try {
    const tokens = change(await readTokens(file));
    await writeFileAtomic(file, formatTokens(tokens), { mode: 0o600 });
  } catch (error) {
    throw fileError(error, file);
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<void> {
  // Without a limit of time: one that ends in an attempt would leave the lock to nobody.
  const patience = retry({
    maxAttempts: LOCK_ATTEMPTS,
    backoff: fixedBackoff(LOCK_PAUSE_MS),
    shouldRetry: (error) => hasCode(error, 'EEXIST'),
  });
  try {
    await patience.execute(() => writeFile(lock, String(process.pid), { flag: 'wx', mode: 0o600 }));
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    throw new CommandError(
      exitCodes.tryAgain,
      `another command has been changing the tokens for ${(LOCK_ATTEMPTS * LOCK_PAUSE_MS) / 1_000} s; if none is, remove ${lock}`,
    );
  }
}

function fileError(error: unknown, file: string): unknown {
  if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS')) return error;
  return new CommandError(exitCodes.config, `can't use ${file} for tokens: ${error.message}`, {
    cause: error,
  });
}
