import { createContext, Script } from 'node:vm';
import { hasCode, PawlError } from '@pawl/core';

/**
 * What one text may take, and what it may take once more: on a busy machine a short match may just have waited for its
 * turn, while one that backtracks without end needs longer however often.
 */
const TIMEOUTS_MS = [100, 500] as const;

/** Matching a text took too long; nobody knows whether it would have matched. */
class PatternTimeoutError extends PawlError {
  declare readonly code: 'PATTERN_TIMEOUT';

  constructor(pattern: string) {
    super(`The pattern ${JSON.stringify(pattern)} did not come to an end within ${TIMEOUTS_MS[1]} ms.`, {
      code: 'PATTERN_TIMEOUT',
    });
  }
}

const script = new Script('new RegExp(`^(?:${pattern})$`, "u").test(text)');
/** What the script sees. Making a context takes longer than most matches. */
const given = { pattern: '', text: '' };
const context = createContext(given);

/**
 * Whether the whole of a text matches a pattern. V8 ends the match at the timeout, so that no pattern, however it
 * backtracks, holds the service up.
 * @throws PatternTimeoutError
 */
export function matchesPattern(pattern: string, text: string): boolean {
  Object.assign(given, { pattern, text });
  for (const timeout of TIMEOUTS_MS) {
    try {
      return script.runInContext(context, { timeout }) === true;
    } catch (error) {
      if (!hasCode(error, 'ERR_SCRIPT_EXECUTION_TIMEOUT')) throw error;
    }
  }
  throw new PatternTimeoutError(pattern);
}
