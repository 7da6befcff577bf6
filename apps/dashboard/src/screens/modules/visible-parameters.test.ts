import { expect, it } from 'vitest';
import type { ModuleParameter } from '../../api/modules.ts';
import { faultOf, initialValues, parameterValues, visibleParameters } from './visible-parameters.ts';

const parameter = (name: string, part: Partial<ModuleParameter> = {}): ModuleParameter => ({
  name,
  label: null,
  type: 'text',
  required: false,
  default: null,
  options: null,
  min: null,
  max: null,
  pattern: null,
  message: null,
  placeholder: null,
  warning: null,
  visibleWhen: null,
  ...part,
});

const PARAMETERS = [
  parameter('kind', { type: 'select', options: ['mail', 'file'], default: 'file' }),
  parameter('address', { visibleWhen: { field: 'kind', equals: 'mail' } }),
  parameter('signed', { type: 'checkbox', visibleWhen: { field: 'address', equals: 'a@b' } }),
  parameter('count', { type: 'number', min: 1, max: 9 }),
];

it('hides what its condition hides, and what depends on that', () => {
  const names = (values: Readonly<Record<string, string | boolean>>): readonly string[] =>
    visibleParameters(PARAMETERS, values).map(({ name }) => name);
  expect(names({ kind: 'file', address: 'a@b' })).toEqual(['kind', 'count']);
  expect(names({ kind: 'mail', address: 'a@b' })).toEqual(['kind', 'address', 'signed', 'count']);
});

it('begins with what was saved, else the defaults, and sends what is seen and not empty', () => {
  const values = initialValues(PARAMETERS, { count: 4 });
  expect(values).toEqual({ kind: 'file', address: '', signed: false, count: '4' });
  expect(parameterValues(visibleParameters(PARAMETERS, values), values)).toEqual({ kind: 'file', count: 4 });
});

it.each([
  [parameter('a', { required: true }), '', 'This is needed.'],
  [parameter('a'), '', undefined],
  [parameter('a', { type: 'number', min: 1 }), '0', 'At least 1.'],
  [parameter('a', { type: 'number', max: 9 }), '10', 'At most 9.'],
  [parameter('a', { type: 'number' }), 'x', 'A number is needed.'],
  [parameter('a', { pattern: 'b+', message: 'Only b.' }), 'abb', 'Only b.'],
  [parameter('a', { pattern: 'b+' }), 'bb', undefined],
])('judges values: %#', (given, value, fault) => {
  expect(faultOf(given, value)).toBe(fault);
});
