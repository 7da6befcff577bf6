import { createContext, Script } from 'node:vm';
import { hasCode, PawlError } from '@pawl/core';

/** What one text may take. A pattern that needs longer backtracks without end. */
const TIMEOUT_MS = 100;

/** Matching a text took too long; nobody knows whether it would have matched. */
export class PatternTimeoutError extends PawlError {
  declare readonly code: 'PATTERN_TIMEOUT';

  constructor(pattern: string) {
    super(`The pattern ${JSON.stringify(pattern)} did not come to an end within ${TIMEOUT_MS} ms.`, {
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
  try {
    return script.runInContext(context, { timeout: TIMEOUT_MS }) === true;
  } catch (error) {
    if (hasCode(error, 'ERR_SCRIPT_EXECUTION_TIMEOUT')) throw new PatternTimeoutError(pattern);
    throw error;
  }
}
