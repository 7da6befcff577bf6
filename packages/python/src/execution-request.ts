import { checkBoolean, checkKnownKeys, checkOneOf, expectedMessage, PawlError } from '@pawl/core';
import { type ExecutionLimits, resolveLimits } from './limits.ts';

/** A file that the program finds in its working folder. */
export interface ProgramFile {
  /** Relative, without `..`: `data.txt`, `data/names.csv`. */
  readonly path: string;
  readonly content: string;
  /** How `content` is written. @default 'utf8' */
  readonly encoding?: 'utf8' | 'base64';
}

/** What to run. */
export interface ExecutionRequest {
  /** The program, at most 50,000 characters. */
  readonly code: string;
  /** A test script: it imports the program as `starter` and finds what it printed in `output`. */
  readonly testCode?: string | undefined;
  /** Names an exercise whose tests are run, in place of `testCode`. */
  readonly exerciseId?: string | undefined;
  /** Whether to run tests. @default whether there is a `testCode` or an `exerciseId` */
  readonly runTests?: boolean | undefined;
  /** What `input()` reads. @default nothing: `input()` fails at once */
  readonly stdin?: string | undefined;
  /** At most 50 files, 1 MiB together. */
  readonly files?: readonly ProgramFile[] | undefined;
  /** Below or above the runner's own, up to its `maxLimits`. */
  readonly limits?: Partial<ExecutionLimits> | undefined;
}

/** A request that can't be run as it is. */
export class InvalidExecutionError extends PawlError {
  declare readonly code: 'EXECUTION_INVALID' | 'CODE_TOO_LARGE';
  /** The field that is wrong. */
  readonly field: string;

  constructor(
    field: string,
    message: string,
    code: 'EXECUTION_INVALID' | 'CODE_TOO_LARGE' = 'EXECUTION_INVALID',
  ) {
    super(message, { code });
    this.field = field;
  }
}

/** A checked request, all of it present. */
export interface ResolvedRequest {
  readonly code: string;
  readonly testCode: string | undefined;
  readonly exerciseId: string | undefined;
  readonly runTests: boolean;
  readonly stdin: string;
  readonly files: readonly Required<ProgramFile>[];
  readonly limits: ExecutionLimits;
}

const MAX_CODE_CHARACTERS = 50_000;
const MAX_STDIN_BYTES = 8 * 1024 * 1024;
const MAX_FILES = 50;
const MAX_FILES_BYTES = 1024 * 1024;
const KEYS: readonly (keyof ExecutionRequest)[] = [
  'code',
  'testCode',
  'exerciseId',
  'runTests',
  'stdin',
  'files',
  'limits',
];

/** Checks a request, which may come from anywhere. @throws InvalidExecutionError naming the field */
export function resolveRequest(
  request: ExecutionRequest,
  limits: ExecutionLimits,
  maxLimits: ExecutionLimits,
): ResolvedRequest {
  inField('request', () => checkKnownKeys('execute', request, KEYS));
  const { code, testCode, exerciseId, stdin = '', files = [] } = request;
  checkCode('code', code);
  if (code === '')
    throw new InvalidExecutionError('code', expectedMessage('code', 'a non-empty string', code));
  if (testCode !== undefined) checkCode('testCode', testCode);
  if (exerciseId !== undefined) checkText('exerciseId', exerciseId);
  checkText('stdin', stdin);
  if (Buffer.byteLength(stdin) > MAX_STDIN_BYTES) {
    throw new InvalidExecutionError('stdin', `Expected \`stdin\` to be at most ${MAX_STDIN_BYTES} bytes.`);
  }
  const hasTests = testCode !== undefined || exerciseId !== undefined;
  const runTests = inField('runTests', () => checkBoolean('runTests', request.runTests ?? hasTests));
  if (runTests && !hasTests) {
    const message = 'Expected `testCode` or `exerciseId` where `runTests` is true, got neither.';
    throw new InvalidExecutionError('runTests', message);
  }
  if (testCode !== undefined && exerciseId !== undefined) {
    const message = 'Expected either `testCode` or `exerciseId`, got both.';
    throw new InvalidExecutionError('exerciseId', message);
  }
  return {
    code,
    testCode,
    exerciseId,
    runTests,
    stdin,
    files: checkFiles(files),
    limits: inField('limits', () => resolveLimits('limits', request.limits ?? {}, limits, maxLimits)),
  };
}

function checkText(field: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') {
    throw new InvalidExecutionError(field, expectedMessage(field, 'a string', value));
  }
}

function checkCode(field: string, value: unknown): asserts value is string {
  checkText(field, value);
  // Characters beyond the basic plane count once; only code that may be too long needs counting.
  const characters = value.length > MAX_CODE_CHARACTERS ? Array.from(value).length : value.length;
  if (characters > MAX_CODE_CHARACTERS) {
    const message = `Expected \`${field}\` to be at most ${MAX_CODE_CHARACTERS} characters, got ${characters}.`;
    throw new InvalidExecutionError(field, message, 'CODE_TOO_LARGE');
  }
}

function checkFiles(files: unknown): readonly Required<ProgramFile>[] {
  if (!Array.isArray(files) || files.length > MAX_FILES) {
    throw new InvalidExecutionError('files', expectedMessage('files', `at most ${MAX_FILES} files`, files));
  }
  let bytes = 0;
  const checked = files.map((file: unknown, index) => {
    const field = `files[${index}]`;
    inField(field, () => checkKnownKeys(field, file, ['path', 'content', 'encoding']));
    const { path, content, encoding = 'utf8' } = file as ProgramFile;
    checkPath(`${field}.path`, path);
    checkText(`${field}.content`, content);
    inField(field, () => checkOneOf(`${field}.encoding`, encoding, ['utf8', 'base64']));
    bytes += Buffer.byteLength(content);
    return { path, content, encoding };
  });
  if (bytes > MAX_FILES_BYTES) {
    const message = `Expected \`files\` to be at most ${MAX_FILES_BYTES} bytes together, got ${bytes}.`;
    throw new InvalidExecutionError('files', message);
  }
  return checked;
}

/** Names that begin with a letter, a digit or `_`, so that none is `..` or hidden. */
const PATH = /^\w[\w.-]{0,99}(?:\/\w[\w.-]{0,99}){0,7}$/;

function checkPath(field: string, path: unknown): void {
  checkText(field, path);
  if (PATH.test(path)) return;
  const rule = 'a relative path of plain names, such as `data/names.csv`';
  throw new InvalidExecutionError(field, expectedMessage(field, rule, path));
}

function inField<T>(field: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw new InvalidExecutionError(field, error instanceof Error ? error.message : String(error));
  }
}
