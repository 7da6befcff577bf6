import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';
import { hasCode } from '@pawl/core';
import type { Logger } from '@pawl/core';
import type { Role } from './access.ts';
import { ConfigError } from './config.ts';
import { parseTokens } from './token-format.ts';

/** Who a token belongs to. */
export interface TokenOwner {
  readonly name: string;
  readonly role: Role;
}

/** The tokens that are in force. */
export interface Tokens {
  /** Whether clients need one: there is a file of them, or was one since the service started. */
  readonly inUse: boolean;
  /** Takes as long whichever token it is, and whether it is one. */
  ownerOf(token: string): TokenOwner | undefined;
}

export interface TokensOptions {
  /** It need not be there, and may be written anew at any time. */
  readonly file: string;
  /** Told when the file can't be used: then the tokens before stay in force. */
  readonly logger: Logger;
}

interface KnownToken extends TokenOwner {
  readonly hash: Buffer;
}

/** @throws ConfigError when the file is there and can't be used */
export function createTokens({ file, logger }: TokensOptions): Tokens {
  let version = versionOf(file);
  let known: readonly KnownToken[] | undefined = version === undefined ? undefined : readTokens(file);

  /** Looks whether the file has changed: a token that is taken back ends with the next request. */
  function refresh(): readonly KnownToken[] | undefined {
    const latest = versionOf(file);
    if (latest === version) return known;
    version = latest;
    try {
      if (latest === undefined) throw new Error(`There is no ${file} any more.`);
      known = readTokens(file);
      logger.info({ tokens: known.length }, `Read the tokens in ${file}.`);
    } catch (error) {
      logger.error({ err: error }, 'The tokens could not be read; those before stay in force.');
    }
    return known;
  }

  return {
    get inUse() {
      return refresh() !== undefined;
    },
    ownerOf(token) {
      const hash = createHash('sha256').update(token).digest();
      let owner: KnownToken | undefined;
      // To the end, also when it is found.
      for (const each of refresh() ?? []) if (timingSafeEqual(each.hash, hash)) owner = each;
      return owner;
    },
  };
}

/** @throws ConfigError */
function readTokens(file: string): readonly KnownToken[] {
  try {
    const tokens = parseTokens(readFileSync(file, 'utf8'), file);
    return tokens.map(({ name, role, sha256 }) => ({ name, role, hash: Buffer.from(sha256, 'hex') }));
  } catch (error) {
    throw new ConfigError([`The tokens can't be read: ${(error as Error).message}.`]);
  }
}

/** Changes whenever the file does; undefined when there is none. */
function versionOf(file: string): string | undefined {
  let stats: Stats | undefined;
  try {
    stats = statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (!hasCode(error, 'ENOTDIR', 'EACCES')) throw error;
  }
  return stats === undefined ? undefined : `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}
