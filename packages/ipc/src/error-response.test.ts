import { describe, expect, it } from 'vitest';
import { encodeError } from './error-codec.ts';
import { encodeErrorResponseWithin } from './error-response.ts';
import type { ErrorMessage } from './message.ts';

const fit = (error: ErrorMessage['error'], limit: number): ErrorMessage['error'] =>
  (JSON.parse(encodeErrorResponseWithin(1, error, limit)) as ErrorMessage).error;

describe('encodeErrorResponseWithin', () => {
  const error = Object.assign(new Error('m'.repeat(3_000)), { code: 'E_BIG', blob: 'x'.repeat(100_000) });
  const whole = { code: -32_000, message: error.message, data: encodeError(error) };

  it('sends the whole error when it fits', () => {
    expect(fit(whole, 1_000_000)).toEqual(whole);
  });

  it('shortens the stack first: fields and causes may decide what the host does', () => {
    const data = { name: 'Error', message: 'no', stack: 's'.repeat(5_000), fields: { path: 'result.id' } };
    const short = { ...data, stack: `${'s'.repeat(500)}…` };
    expect(fit({ code: -32_005, message: 'no', data }, 1_000).data).toEqual(short);
    const big = { ...data, fields: { path: 'p'.repeat(5_000) } };
    const { fields: _fields, ...core } = short;
    expect(fit({ code: -32_005, message: 'no', data: big }, 1_000).data).toEqual({
      ...core,
      omitted: ['fields'],
    });
  });

  it('then drops fields and causes, and names them', () => {
    const { data, message } = fit(whole, 20_000);
    expect(data).toMatchObject({ name: 'Error', code: 'E_BIG', omitted: ['fields'] });
    expect(data).not.toHaveProperty('fields');
    expect(message).toHaveLength(2_001);
  });

  it('drops the data, then most of the message', () => {
    expect(fit(whole, 3_000)).toEqual({ code: -32_000, message: `${'m'.repeat(2_000)}…` });
    expect(fit(whole, 200)).toEqual({ code: -32_000, message: `${'m'.repeat(80)}…` });
    expect(fit(whole, 10)).toEqual({ code: -32_000, message: '' });
  });

  it('drops data that JSON can not carry', () => {
    expect(fit({ code: 5, message: 'no', data: { big: 1n } }, 1_000)).toEqual({ code: 5, message: 'no' });
  });
});
