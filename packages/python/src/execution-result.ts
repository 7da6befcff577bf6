import type { ExecutionLimits } from './limits.ts';
import { type ProgramError, programError } from './program-error.ts';
import type { SandboxKind } from './sandbox/sandbox.ts';

/** How a program ended. The first two ended by themselves; `killed` is the end by a signal nobody here sent. */
export type ExecutionStatus =
  | 'ok'
  | 'failed'
  | 'timeout'
  | 'cpu-limit'
  | 'memory-limit'
  | 'process-limit'
  | 'open-file-limit'
  | 'file-size-limit'
  | 'output-limit'
  | 'killed';

/** One test. */
export interface TestCase {
  readonly name: string;
  readonly passed: boolean;
  /** Both sides of the comparison that failed, as Python shows them. */
  readonly expected?: string;
  readonly actual?: string;
  /** Why it failed. */
  readonly error?: string;
}

/** The verdict of the tests, which the program has no way to touch. */
export interface TestResult {
  /** Whether there was a test, all passed, and no limit ended the run. */
  readonly passed: boolean;
  /** At most 500; more are run and counted in `passed`. */
  readonly testCases: readonly TestCase[];
  /** What the tests printed themselves. */
  readonly output: string;
  /** What kept the tests from being run to their end; `null` when nothing did. */
  readonly errors: string | null;
}

/** What became of a submitted program. */
export interface ExecutionResult {
  /** Whether it ended by itself with exit code 0 and, where tests were run, passed them. */
  readonly success: boolean;
  /** What it printed on stdout, without trailing white space. */
  readonly output: string;
  /** What it printed on stderr, its traceback first of all, and why it was ended; `null` when there is nothing to say. */
  readonly errors: string | null;
  /** From the request to the result, in whole milliseconds. */
  readonly executionTime: number;
  /** `null` when no tests were run. */
  readonly testResult: TestResult | null;
  readonly status: ExecutionStatus;
  /** `null` when it was ended by force. */
  readonly exitCode: number | null;
  /** The number of the signal that ended it, if one did. */
  readonly signal: number | null;
  /** The exception that ended it, with a hint for beginners; `null` when there was none. */
  readonly error: ProgramError | null;
  /** Whether output beyond the limit was dropped. */
  readonly truncated: { readonly stdout: boolean; readonly stderr: boolean };
  /** `null` where it was not measured, because the program was ended by force. */
  readonly usage: {
    readonly wallMs: number;
    readonly cpuMs: number | null;
    readonly maxRssBytes: number | null;
  };
  /** What it ran in. */
  readonly sandbox: SandboxKind;
}

/** What a worker answers. */
export interface WorkerAnswer {
  readonly reason: 'wall-time' | 'cpu-time' | 'memory' | 'files' | 'output' | 'cancelled' | null;
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly line: number | null;
    readonly errno: string | null;
  } | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: { readonly stdout: boolean; readonly stderr: boolean };
  readonly usage: ExecutionResult['usage'];
  readonly tests: {
    readonly finished: boolean;
    readonly passed: boolean;
    readonly cases: readonly {
      readonly name: string;
      readonly passed: boolean;
      readonly error: string | null;
      readonly expected: string | null;
      readonly actual: string | null;
    }[];
    readonly output: string;
    readonly error: string | null;
  } | null;
}

/** What is put behind output that was cut. */
const TRUNCATION_MARK = '\n... (output truncated)';

export function createExecutionResult(
  answer: WorkerAnswer,
  {
    limits,
    sandbox,
    executionTime,
  }: {
    readonly limits: ExecutionLimits;
    readonly sandbox: SandboxKind;
    readonly executionTime: number;
  },
): ExecutionResult {
  const status = statusOf(answer, limits);
  const reason = REASON_TEXTS[status](answer, limits);
  const error = programError(answer.error);
  const stderr = shown(answer.stderr, answer.truncated.stderr);
  const testResult = testResultOf(answer, reason);
  const errors = [stderr, reason, error?.type === 'EOFError' ? error.hint : null].filter(
    (text) => text !== null && text !== '',
  );
  return {
    success: status === 'ok' && testResult?.passed !== false,
    output: shown(answer.stdout, answer.truncated.stdout),
    errors: errors.length === 0 ? null : errors.join('\n'),
    executionTime,
    testResult,
    status,
    exitCode: answer.exitCode,
    signal: answer.signal,
    error,
    truncated: answer.truncated,
    usage: answer.usage,
    sandbox,
  };
}

function shown(text: string, truncated: boolean): string {
  return truncated ? `${text}${TRUNCATION_MARK}` : text.trimEnd();
}

const SIGKILL = 9;
const SIGXCPU = 24;
const SIGXFSZ = 25;

/** Exceptions in which Python reports that a limit was met. */
const STATUS_OF_ERRNO: Readonly<Record<string, ExecutionStatus>> = {
  EMFILE: 'open-file-limit',
  EFBIG: 'file-size-limit',
  ENOSPC: 'file-size-limit',
  EAGAIN: 'process-limit',
  ENOMEM: 'memory-limit',
};

function statusOf(
  { reason, exitCode, signal, error, usage }: WorkerAnswer,
  limits: ExecutionLimits,
): ExecutionStatus {
  if (reason === 'wall-time') return 'timeout';
  if (reason === 'cpu-time') return 'cpu-limit';
  if (reason === 'memory') return 'memory-limit';
  if (reason === 'files') return 'file-size-limit';
  if (reason === 'output') return 'output-limit';
  if (signal === SIGXCPU || (signal === SIGKILL && (usage.cpuMs ?? 0) >= limits.cpuMs)) return 'cpu-limit';
  if (signal === SIGXFSZ) return 'file-size-limit';
  if (exitCode === 0 && error === null) return 'ok';
  if (exitCode === null) return 'killed';
  if (error?.type === 'MemoryError') return 'memory-limit';
  if (error?.type === 'RuntimeError' && error.message === "can't start new thread") return 'process-limit';
  return STATUS_OF_ERRNO[error?.errno ?? ''] ?? 'failed';
}

type ReasonText = (answer: WorkerAnswer, limits: ExecutionLimits) => string | null;

/** What the program could not say itself. */
const REASON_TEXTS: Readonly<Record<ExecutionStatus, ReasonText>> = {
  ok: () => null,
  // A program that failed and said why needs no more words than its own.
  failed: ({ stderr, exitCode }) =>
    stderr.trim() === '' ? `The program ended with exit code ${exitCode}.` : null,
  timeout: (_answer, { wallMs }) =>
    `The program timed out: it was stopped after ${wallMs / 1000} seconds. ` +
    'It may have an endless loop, or need more time than a program gets here.',
  'cpu-limit': (_answer, { cpuMs }) =>
    `The program was stopped: it used more than ${cpuMs / 1000} seconds of processor time.`,
  'memory-limit': (_answer, { memoryBytes }) =>
    `The program ran out of memory: it may use ${showBytes(memoryBytes)}.`,
  'process-limit': (_answer, { processes }) =>
    `The program started too many processes or threads: it may have ${processes} at a time.`,
  'open-file-limit': (_answer, { openFiles }) =>
    `The program opened too many files: it may have ${openFiles} open at a time.`,
  'file-size-limit': (_answer, { fileBytes }) =>
    `The program wrote too much to its files: each may have ${showBytes(fileBytes)}, and the folder has little room.`,
  'output-limit': (_answer, { outputBytes }) =>
    `The program was stopped: it printed more than ${showBytes(outputBytes)}.`,
  killed: ({ signal }) =>
    signal === null
      ? 'The program was killed.'
      : `The program was killed by ${SIGNAL_TEXTS[signal] ?? `signal ${signal}`}.`,
};

const SIGNAL_TEXTS: Readonly<Record<number, string>> = {
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV: it crashed the interpreter, as a recursion without end can',
  15: 'SIGTERM',
};

function showBytes(bytes: number): string {
  const units: readonly (readonly [number, string])[] = [
    [1024 * 1024, 'MiB'],
    [1024, 'KiB'],
  ];
  const [size, name] = units.find(([unit]) => bytes >= unit && bytes % unit === 0) ?? [1, 'bytes'];
  return `${bytes / size} ${name}`;
}

function testResultOf({ tests }: WorkerAnswer, reason: string | null): TestResult | null {
  if (tests === null) return null;
  const testCases = tests.cases.map(({ name, passed, error, expected, actual }) => ({
    name,
    passed,
    ...(expected === null ? {} : { expected }),
    ...(actual === null ? {} : { actual }),
    ...(error === null ? {} : { error }),
  }));
  const unfinished = tests.finished ? null : (reason ?? 'The tests did not come to their end.');
  if (unfinished !== null) testCases.push({ name: 'the tests finish', passed: false, error: unfinished });
  else if (testCases.length === 0) {
    testCases.push({ name: 'tests', passed: false, error: 'The tests contain nothing that is tested.' });
  }
  return {
    passed: tests.passed,
    testCases,
    output: tests.output.trimEnd(),
    errors: tests.error ?? unfinished,
  };
}
