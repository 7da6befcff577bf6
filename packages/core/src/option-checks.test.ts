import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkAtMost,
  checkBelow,
  checkBoolean,
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkNumber,
  checkOneOf,
  checkSignal,
  checkString,
  expectedMessage,
  showValue,
} from './option-checks.ts';

/** The class and message of what `fn` throws. */
function refusal(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    return `${(error as Error).constructor.name}: ${(error as Error).message}`;
  }
  return 'accepted';
}

describe('showValue', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;

  it.each([
    ['text', '"text"'],
    [0, '0'],
    [12n, '12'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('mark'), 'Symbol(mark)'],
    [{ a: [1, 'b'] }, '{"a":[1,"b"]}'],
    [{ toJSON: () => undefined }, '[object Object]'],
    [cycle, '[object Object]'],
    [() => 1, 'function'],
    [parseInt, 'function parseInt'],
  ])('shows %s', (value, shown) => {
    expect(showValue(value)).toBe(shown);
  });

  it('never throws and never shows more than 80 characters and a mark', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(showValue(value).length).toBeLessThanOrEqual(81);
      }),
    );
    expect(showValue('x'.repeat(200))).toBe(`"${'x'.repeat(79)}…`);
  });
});

describe('expectedMessage', () => {
  it.each([
    [0, 'Expected `size` to be small, got `0` (number).'],
    ['0', 'Expected `size` to be small, got `"0"` (string).'],
    [[1], 'Expected `size` to be small, got `[1]` (array).'],
    [{}, 'Expected `size` to be small, got `{}` (object).'],
    [null, 'Expected `size` to be small, got `null`.'],
    [undefined, 'Expected `size` to be small, got `undefined`.'],
  ])('words %s', (value, message) => {
    expect(expectedMessage('size', 'small', value)).toBe(message);
  });
});

describe('checkInteger', () => {
  it('gives back what it accepts', () => {
    expect(checkInteger('maxWorkers', 4, { min: 1 })).toBe(4);
    expect(checkInteger('maxRuns', Infinity, { min: 1, infinite: true })).toBe(Infinity);
    expect(checkInteger('priority', -3)).toBe(-3);
  });

  it.each([
    [0, { min: 1 }, 'RangeError: Expected `n` to be an integer ≥ 1, got `0` (number).'],
    [9, { max: 8 }, 'RangeError: Expected `n` to be an integer ≤ 8, got `9` (number).'],
    [0, { min: 1, max: 4 }, 'RangeError: Expected `n` to be an integer from 1 to 4, got `0` (number).'],
    [1.5, {}, 'RangeError: Expected `n` to be an integer, got `1.5` (number).'],
    [2 ** 53, {}, 'RangeError: Expected `n` to be an integer, got `9007199254740992` (number).'],
    [Infinity, { min: 1 }, 'RangeError: Expected `n` to be an integer ≥ 1, got `Infinity` (number).'],
    [
      -Infinity,
      { infinite: true },
      'RangeError: Expected `n` to be an integer, or Infinity, got `-Infinity` (number).',
    ],
    ['4', { min: 1 }, 'TypeError: Expected `n` to be an integer ≥ 1, got `"4"` (string).'],
    [Number.NaN, {}, 'TypeError: Expected `n` to be an integer, got `NaN` (number).'],
    [undefined, {}, 'TypeError: Expected `n` to be an integer, got `undefined`.'],
  ])('refuses %s within %o', (value, bounds, message) => {
    expect(refusal(() => checkInteger('n', value, bounds))).toBe(message);
  });

  it('accepts exactly the integers within its bounds', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), (value, one, other) => {
        const [min, max] = [Math.min(one, other), Math.max(one, other)];
        const accepted = refusal(() => checkInteger('n', value, { min, max })) === 'accepted';
        expect(accepted).toBe(value >= min && value <= max);
      }),
    );
  });
});

describe('checkNumber and checkDurationMs', () => {
  it('accept fractions', () => {
    expect(checkNumber('ratio', 0.5, { min: 0, max: 1 })).toBe(0.5);
    expect(checkDurationMs('timeoutMs', 0.5)).toBe(0.5);
  });

  it.each([
    [() => checkNumber('r', 2, { max: 1 }), 'RangeError: Expected `r` to be a number ≤ 1, got `2` (number).'],
    [() => checkDurationMs('t', -1), 'RangeError: Expected `t` to be milliseconds ≥ 0, got `-1` (number).'],
    [
      () => checkDurationMs('t', Infinity),
      'RangeError: Expected `t` to be milliseconds ≥ 0, got `Infinity` (number).',
    ],
    [
      () => checkDurationMs('t', '5s', { min: 1, infinite: true }),
      'TypeError: Expected `t` to be milliseconds ≥ 1, or Infinity, got `"5s"` (string).',
    ],
  ])('refuse with one wording', (fn, message) => {
    expect(refusal(fn)).toBe(message);
  });

  it('take Infinity where no limit is allowed', () => {
    expect(checkDurationMs('timeoutMs', Infinity, { infinite: true })).toBe(Infinity);
  });
});

describe('the other kinds', () => {
  const { signal } = new AbortController();

  it('give back what they accept', () => {
    const fn = (): void => undefined;
    expect(checkString('name', 'pool')).toBe('pool');
    expect(checkBoolean('warm', false)).toBe(false);
    expect(checkFunction('onRetry', fn)).toBe(fn);
    expect(checkOneOf('overflow', 'shed', ['shed', 'wait'])).toBe('shed');
    expect(checkSignal('signal', signal)).toBe(signal);
  });

  it.each([
    [() => checkString('s', ''), 'TypeError: Expected `s` to be a non-empty string, got `""` (string).'],
    [() => checkString('s', 1), 'TypeError: Expected `s` to be a non-empty string, got `1` (number).'],
    [() => checkBoolean('b', 1), 'TypeError: Expected `b` to be true or false, got `1` (number).'],
    [() => checkFunction('f', {}), 'TypeError: Expected `f` to be a function, got `{}` (object).'],
    [
      () => checkOneOf('o', 'sched', ['shed', false]),
      'TypeError: Expected `o` to be one of `"shed"`, `false`, got `"sched"` (string).',
    ],
    [() => checkSignal('c', {}), 'TypeError: Expected `c` to be an AbortSignal, got `{}` (object).'],
  ])('refuse with one wording', (fn, message) => {
    expect(refusal(fn)).toBe(message);
  });
});

describe('relations', () => {
  it('accept what is in order', () => {
    expect(refusal(() => checkBelow('graceMs', 4999, 'leaseMs', 5000))).toBe('accepted');
    expect(refusal(() => checkAtMost('minWorkers', 4, 'maxWorkers', 4))).toBe('accepted');
  });

  it('name both options and both values', () => {
    expect(refusal(() => checkBelow('graceMs', 5000, 'leaseMs', 5000))).toBe(
      'RangeError: Expected `graceMs` (5000) to be below `leaseMs` (5000).',
    );
    expect(refusal(() => checkAtMost('minWorkers', 9, 'maxWorkers', 4))).toBe(
      'RangeError: Expected `minWorkers` (9) to be at most `maxWorkers` (4).',
    );
  });
});

describe('checkKnownKeys', () => {
  const known = ['minWorkers', 'maxWorkers', 'idleTimeoutMs'];

  it('accepts any subset of the known keys', () => {
    fc.assert(
      fc.property(fc.subarray(known), (keys) => {
        const options = Object.fromEntries(keys.map((key) => [key, 1]));
        expect(refusal(() => checkKnownKeys('createPool', options, known))).toBe('accepted');
      }),
    );
  });

  it.each([
    ['maxWorker', 'did you mean `maxWorkers`?'],
    ['maxWorkersss', 'did you mean `maxWorkers`?'],
    ['MAXWORKERS', 'did you mean `maxWorkers`?'],
    ['minWokrers', 'did you mean `minWorkers`?'],
    ['idleTimeout', 'did you mean `idleTimeoutMs`?'],
    ['colour', 'Known: minWorkers, maxWorkers, idleTimeoutMs.'],
  ])('refuses `%s`, and helps', (key, hint) => {
    expect(refusal(() => checkKnownKeys('createPool', { [key]: 1 }, known))).toBe(
      `TypeError: Unknown option \`${key}\` of createPool; ${hint}`,
    );
  });

  it.each([null, undefined, 'text', [1]])('refuses %s in place of an object', (value) => {
    expect(refusal(() => checkKnownKeys('createPool', value, known))).toMatch(
      /^TypeError: Expected `options of createPool` to be an object, got /,
    );
  });

  it('never answers a misspelling of one letter with silence', () => {
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.nat(), (key, at) => {
        const cut = at % key.length;
        const misspelt = key.slice(0, cut) + key.slice(cut + 1);
        expect(refusal(() => checkKnownKeys('createPool', { [misspelt]: 1 }, known))).toContain(
          `did you mean \`${key}\`?`,
        );
      }),
    );
  });
});
