import type { ExecutionRequest, ExecutionResult } from '@pawl/python';
import {
  LIFE_PROGRAMS,
  OUTPUT_PROGRAMS,
  RESOURCE_PROGRAMS,
} from '../../../../packages/python/test/hostile-programs.ts';

/** A program that a client sends, and what it may get for it. */
export interface SentProgram {
  /** Programs of one kind take about as long as each other. */
  readonly kind: string;
  readonly isGood: boolean;
  readonly request: ExecutionRequest;
  /** Whether it is the answer to this very request: no other one has the same. */
  isRight(answer: ExecutionResult): boolean;
}

type Good = (n: number) => Omit<SentProgram, 'kind' | 'isGood'>;

const ADD_TESTS = `import unittest, starter
class Tests(unittest.TestCase):
    def test_numbers(self): self.assertEqual(starter.add(2, 3), 5 + starter.N - starter.N)
    def test_texts(self): self.assertEqual(starter.add("a", "b"), "ab")
`;

/** What learners send, each with a number of its own in it. */
const GOOD: Readonly<Record<string, Good>> = {
  'prints a line': (n) => ({
    request: { code: `print("line", ${n})` },
    isRight: ({ status, output }) => status === 'ok' && output === `line ${n}`,
  }),
  'reads its input': (n) => ({
    request: { code: 'print(int(input()) + 1)', stdin: `${n}\n` },
    isRight: ({ status, output }) => status === 'ok' && output === String(n + 1),
  }),
  'fails with a traceback': (n) => ({
    request: { code: `def f(): raise ValueError(${n})\nf()` },
    isRight: ({ status, error }) =>
      status === 'failed' && error?.type === 'ValueError' && error.message === String(n) && error.line === 1,
  }),
  'passes its tests': (n) => ({
    request: { code: `N = ${n}\nprint("made", N)\ndef add(a, b): return a + b`, testCode: ADD_TESTS },
    isRight: ({ success, output, testResult }) =>
      success && output === `made ${n}` && testResult?.passed === true && testResult.testCases.length === 2,
  }),
  'fails one of its tests': (n) => ({
    request: { code: `N = ${n}\ndef add(a, b): return 5 if a == 2 else N`, testCode: ADD_TESTS },
    isRight: ({ success, testResult }) =>
      !success &&
      testResult?.passed === false &&
      testResult.testCases.map(({ passed }) => passed).join() === 'true,false' &&
      testResult.testCases[1]?.actual === String(n),
  }),
  computes: (n) => ({
    request: { code: `total = ${n}\nfor i in range(1_000_000): total += i * i\nprint(total)` },
    isRight: ({ status, output }) =>
      status === 'ok' && BigInt(output) === 333_332_833_333_500_000n + BigInt(n),
  }),
};

const HOSTILE = [...RESOURCE_PROGRAMS, ...OUTPUT_PROGRAMS, ...LIFE_PROGRAMS];
/** Every fourth program is a hostile one. */
const HOSTILE_EVERY = 4;

export const GOOD_KINDS: readonly string[] = Object.keys(GOOD);

export function goodProgram(kind: string, n: number): SentProgram {
  const make = GOOD[kind];
  if (make === undefined) throw new Error(`There is no program that ${kind}.`);
  return { kind, isGood: true, ...make(n) };
}

/** The `n`-th of a mix without end. */
export function mixedProgram(n: number): SentProgram {
  if (n % HOSTILE_EVERY === 0) return hostileProgram(n / HOSTILE_EVERY);
  const goodBefore = n - Math.ceil(n / HOSTILE_EVERY);
  return goodProgram(GOOD_KINDS[goodBefore % GOOD_KINDS.length] ?? '', n);
}

function hostileProgram(n: number): SentProgram {
  const program = HOSTILE[n % HOSTILE.length];
  if (program === undefined) throw new Error('There is no hostile program.');
  const { title, code, stdin, ends, prints = '' } = program;
  return {
    kind: title,
    isGood: false,
    // A body may be 1 MiB.
    request: { code, ...(stdin === undefined ? {} : { stdin: stdin.slice(0, 1_000_000) }) },
    isRight({ status, output, errors, success }) {
      if (`${output}${errors}`.includes('OUT:') || success !== (status === 'ok')) return false;
      // On a busy machine each may be ended by its time before it has done its worst.
      if (status === 'timeout' || status === 'cpu-limit') return true;
      return ends.includes(status) && output.includes(prints);
    },
  };
}
