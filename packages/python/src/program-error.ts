/** What kind of mistake an exception is, for people who learn Python. */
export type ErrorKind =
  | 'assertion'
  | 'syntax'
  | 'indentation'
  | 'name'
  | 'import'
  | 'timeout'
  | 'input'
  | 'memory'
  | 'other';

/** The exception that ended a program. */
export interface ProgramError {
  readonly kind: ErrorKind;
  /** The name of its class, such as `NameError`. */
  readonly type: string;
  readonly message: string;
  /** The line of the submitted program, from 1; `null` when it is not known. */
  readonly line: number | null;
  /** A sentence for beginners; `null` where Python's own message says it all. */
  readonly hint: string | null;
}

const EXPLANATIONS: Readonly<Record<string, readonly [ErrorKind, string]>> = {
  AssertionError: [
    'assertion',
    'An `assert` did not hold: compare what your code gives with what it should give.',
  ],
  SyntaxError: [
    'syntax',
    'Python can not read this line: look for a missing bracket, quote or colon, here or just above.',
  ],
  IndentationError: [
    'indentation',
    'The spaces at the start of a line do not fit: lines of one block begin in the same column.',
  ],
  TabError: ['indentation', 'Tabs and spaces are mixed at the start of lines: use spaces only.'],
  NameError: [
    'name',
    'A name is used that does not exist: check its spelling, and that it gets a value before it is used.',
  ],
  UnboundLocalError: ['name', 'A variable of the function is used before it gets a value.'],
  ImportError: [
    'import',
    'Something could not be imported: only the standard library is here, and names must be spelt exactly.',
  ],
  ModuleNotFoundError: [
    'import',
    'There is no module of this name here: only the standard library can be imported.',
  ],
  TimeoutError: ['timeout', 'Something took longer than it was given.'],
  EOFError: [
    'input',
    'The program asked for input with input(), and there was none (left). Give it input, or do without.',
  ],
  MemoryError: [
    'memory',
    'The program needs more memory than it gets: look for a list or text that grows without end.',
  ],
};

/** Puts an exception into words. */
export function programError(
  told: {
    readonly type: string;
    readonly message: string;
    readonly line: number | null;
  } | null,
): ProgramError | null {
  if (told === null) return null;
  const { type, message, line } = told;
  const explanation = Object.hasOwn(EXPLANATIONS, type) ? EXPLANATIONS[type] : undefined;
  const [kind, hint] = explanation ?? (['other', null] as const);
  return { kind, type, message, line, hint };
}
