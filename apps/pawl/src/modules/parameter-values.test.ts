import { describe, expect, it } from 'vitest';
import { definitionSchema, type ModuleDefinition } from './module-definition.ts';
import { checkParameters, ModuleParametersError, usableParameters } from './parameter-values.ts';

function moduleWith(...parameters: readonly object[]): ModuleDefinition {
  return definitionSchema.parse({ id: 'm', name: 'M', script: 'm.py', parameters });
}

function faultsOf(fn: () => unknown): readonly string[] {
  try {
    fn();
  } catch (error) {
    if (error instanceof ModuleParametersError) return error.faults.map(({ message }) => message);
    throw error;
  }
  return [];
}

describe('checkParameters', () => {
  it('lays what is given over the defaults', () => {
    const module = moduleWith(
      { name: 'month', type: 'text', required: true },
      { name: 'times', type: 'number', default: 2 },
      { name: 'note', type: 'text' },
    );
    expect(checkParameters(module, { month: 'May' })).toEqual({ month: 'May', times: 2 });
    expect(checkParameters(module, { month: 'May', times: 0, note: '' })).toEqual({
      month: 'May',
      times: 0,
      note: '',
    });
  });

  it.each([
    [{ type: 'text', required: true }, undefined, '`p` is required.'],
    [{ type: 'text', required: true }, '', 'Expected `p` to be a non-empty string, got `""` (string).'],
    [{ type: 'text' }, 7, 'Expected `p` to be a string, got `7` (number).'],
    [
      { type: 'text' },
      'a\0b',
      'Expected `p` to be a string without NUL characters, got `"a\\u0000b"` (string).',
    ],
    [{ type: 'number', min: 1, max: 9 }, 10, 'Expected `p` to be a number from 1 to 9, got `10` (number).'],
    [{ type: 'number', min: 1 }, '5', 'Expected `p` to be a number ≥ 1, got `"5"` (string).'],
    [{ type: 'number', max: 1 }, Number.NaN, 'Expected `p` to be a number ≤ 1, got `NaN` (number).'],
    [{ type: 'checkbox' }, 'yes', 'Expected `p` to be true or false, got `"yes"` (string).'],
    [{ type: 'select', options: ['a', 'b'] }, 'c', 'Expected `p` to be one of a, b, got `"c"` (string).'],
    [
      { type: 'text', pattern: '[a-z]+', message: 'Small letters only.' },
      'A',
      'Expected `p` to be like `[a-z]+`, got `"A"` (string). Small letters only.',
    ],
    [{ type: 'password', pattern: '.{8,}' }, 'secret', 'Expected `p` to be like `.{8,}`.'],
  ])('refuses for %j the value %j', (rules, value, message) => {
    const module = moduleWith({ name: 'p', ...rules });
    expect(faultsOf(() => checkParameters(module, value === undefined ? {} : { p: value }))).toEqual([
      message,
    ]);
  });

  it('names every parameter that is wrong, and those it does not know', () => {
    const module = moduleWith({ name: 'a', type: 'number' }, { name: 'b', type: 'checkbox' });
    expect(faultsOf(() => checkParameters(module, { a: 'x', b: 1, constructor: 1, toString: 2 }))).toEqual([
      '`constructor` is no parameter of module m; known: a, b.',
      '`toString` is no parameter of module m; known: a, b.',
      'Expected `a` to be a number, got `"x"` (string).',
      'Expected `b` to be true or false, got `1` (number).',
    ]);
  });

  it('neither checks nor passes what is hidden, through any number of steps', () => {
    const module = moduleWith(
      { name: 'mail', type: 'checkbox' },
      {
        name: 'kind',
        type: 'select',
        options: ['plain', 'signed'],
        visibleWhen: { field: 'mail', equals: true },
      },
      { name: 'key', type: 'text', required: true, visibleWhen: { field: 'kind', equals: 'signed' } },
      { name: 'folder', type: 'text', required: true, visibleWhen: { field: 'mail', equals: false } },
    );
    expect(checkParameters(module, { folder: '/tmp', kind: 'nonsense', key: 9 })).toEqual({ folder: '/tmp' });
    expect(checkParameters(module, { mail: false, kind: 'signed', folder: '/tmp' })).toEqual({
      mail: false,
      folder: '/tmp',
    });
    expect(faultsOf(() => checkParameters(module, { mail: true, kind: 'signed' }))).toEqual([
      '`key` is required.',
    ]);
  });

  it('says so when a pattern does not come to an end', () => {
    const module = moduleWith({ name: 'p', type: 'text', pattern: '(a+)+' });
    const [fault] = faultsOf(() => checkParameters(module, { p: `${'a'.repeat(40)}!` }));
    expect(fault).toContain('did not come to an end within 500 ms');
  });
});

it('usableParameters drops what the definition does not allow any more', () => {
  const module = moduleWith({ name: 'a', type: 'number', max: 5 }, { name: 'b', type: 'text' });
  expect(usableParameters(module, { a: 9, b: 'x', gone: 1 })).toEqual({ b: 'x' });
});
