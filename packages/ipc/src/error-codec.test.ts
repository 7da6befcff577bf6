import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { decodeError, encodeError, type ErrorData, RemoteError } from './error-codec.ts';

/** There and back through JSON. */
const cross = (error: unknown): RemoteError =>
  decodeError(JSON.parse(JSON.stringify(encodeError(error))) as unknown);

function failing(key: string): Error {
  return Object.defineProperty(new Error('outer'), key, {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });
}

describe('encodeError and decodeError', () => {
  it('carry name, message, code, fields and stack', () => {
    const error = Object.assign(new RangeError('too far'), {
      code: 'E_FAR',
      limit: 3,
      list: [1, { a: null }],
    });
    const remote = cross(error);
    expect(remote).toBeInstanceOf(Error);
    expect(remote).toMatchObject({
      name: 'RangeError',
      message: 'too far',
      code: 'E_FAR',
      fields: { limit: 3, list: [1, { a: null }] },
      omitted: [],
      errors: [],
    });
    expect((remote.cause as Error).stack).toBe(error.stack);
    expect(Object.keys(remote)).not.toContain('name');
  });

  it('keep a numeric code as a field, since codes here are strings', () => {
    expect(cross(Object.assign(new Error('x'), { code: 20 }))).toMatchObject({
      code: 'REMOTE_ERROR',
      fields: { code: 20 },
    });
  });

  it('keep a code that is neither text nor number among the fields', () => {
    expect(encodeError(Object.assign(new Error('x'), { code: { sub: 1 } })).fields).toEqual({
      code: { sub: 1 },
    });
  });

  it('carry the chain of causes', () => {
    const remote = cross(new Error('a', { cause: new TypeError('b', { cause: 'c' }) }));
    const b = (remote.cause as Error).cause as RemoteError;
    expect(b).toMatchObject({ name: 'TypeError', message: 'b' });
    expect(((b.cause as Error).cause as RemoteError).thrown).toEqual({ value: 'c' });
  });

  it('carry the errors of an AggregateError', () => {
    const remote = cross(new AggregateError([new TypeError('one'), 'two'], 'both'));
    expect(remote).toMatchObject({ name: 'AggregateError', message: 'both' });
    expect(remote.errors.map(({ message }) => message)).toEqual(['one', 'two was thrown']);
  });

  it('take a list of plain issues named `errors` for a field', () => {
    const error = Object.assign(new Error('invalid'), { errors: [{ path: 'a', message: 'missing' }] });
    expect(encodeError(error)).toMatchObject({ fields: { errors: [{ path: 'a', message: 'missing' }] } });
    expect(encodeError(error).errors).toBeUndefined();
  });

  it.each([
    ['a string', 'boom', { value: 'boom' }, 'boom was thrown'],
    ['null', null, { value: null }, 'null was thrown'],
    ['undefined', undefined, { value: undefined }, 'undefined was thrown'],
    ['a number', 7, { value: 7 }, '7 was thrown'],
    ['an object', { a: 1 }, { value: { a: 1 } }, '{"a":1} was thrown'],
    ['a function', () => 1, { value: undefined }, 'a function was thrown'],
    ['a BigInt', 1n, { value: undefined }, 'a bigint was thrown'],
  ])('let %s survive that was thrown', (_, thrown, expected, message) => {
    const remote = cross(thrown);
    expect(remote.thrown).toEqual(expected);
    expect(remote.message).toBe(message);
  });

  it('cut the message for a big thrown object, not the object', () => {
    const remote = cross({ text: 'x'.repeat(10_000) });
    expect(remote.message.length).toBeLessThan(120);
    expect(remote.thrown).toEqual({ value: { text: 'x'.repeat(10_000) } });
  });

  it('recognise an error of another realm', () => {
    const foreign = runInContext(
      'Object.assign(new TypeError("far"), { code: "E" })',
      createContext(),
    ) as unknown;
    expect(foreign).not.toBeInstanceOf(Error);
    expect(cross(foreign)).toMatchObject({ name: 'TypeError', message: 'far', code: 'E' });
  });

  it('leave out what JSON can not carry, by name, and keep the rest', () => {
    const self: Record<string, unknown> = {};
    self['self'] = self;
    const error = Object.assign(new Error('x'), { ok: 1, big: 1n, fn: () => 1, self, none: undefined });
    const data = encodeError(error);
    expect(data.fields).toEqual({ ok: 1 });
    expect(data.omitted).toEqual(['big', 'fn', 'self']);
    expect(cross(error).omitted).toEqual(['big', 'fn', 'self']);
  });

  it.each(['field', 'name', 'message', 'code', 'cause', 'errors', 'stack'])(
    'survive a %s getter that throws',
    (key) => {
      expect(encodeError(failing(key)).omitted).toContain(key);
    },
  );

  it('survive a proxy whose traps throw', () => {
    const hostile = new Proxy(new Error('x'), {
      getPrototypeOf() {
        throw new Error('no');
      },
    });
    expect(encodeError(hostile)).toMatchObject({ omitted: ['thrown'] });
  });

  it('cut causes that are nested too deep and name the cut', () => {
    let error = new Error('innermost');
    for (let at = 0; at < 30; at += 1) error = new Error(`level ${at}`, { cause: error });
    const data = encodeError(error);
    let depth = 0;
    let last: ErrorData = data;
    for (; last.cause !== undefined; last = last.cause) depth += 1;
    expect(depth).toBe(8);
    expect(last.omitted).toEqual(['cause']);
  });

  it('cut an error that leads back to itself', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(encodeError(error)).toMatchObject({ message: 'loop', omitted: ['cause'] });
    const crowd = Array.from({ length: 12 }, (_, index) => new AggregateError([], String(index)));
    for (const each of crowd) each.errors.push(...crowd);
    // Twelve errors that all hold each other would unfold to 12^8.
    expect(JSON.stringify(encodeError(crowd[0])).length).toBeLessThan(1_000_000);
  });

  it('never let a __proto__ field reach a prototype', () => {
    const error = new Error('x');
    Object.defineProperty(error, '__proto__', { value: { polluted: 1 }, enumerable: true });
    const remote = cross(error);
    expect(Object.getPrototypeOf(remote.fields)).toBe(Object.prototype);
    expect(Object.keys(remote.fields)).toEqual(['__proto__']);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('decodeError', () => {
  it.each([
    undefined,
    null,
    'text',
    7,
    [],
    {},
    { name: 1, message: 2, stack: 3, code: {}, fields: 4, cause: 5, errors: 6, omitted: 7 },
    { cause: null, errors: [null, 1, 'x', []], omitted: [1, {}], fields: [] },
    { code: '' },
  ])('makes an error of the garbage %j', (data) => {
    const error = decodeError(data, { rpcCode: -32_603, message: 'fallback' });
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({
      name: 'RemoteError',
      message: 'fallback',
      code: 'REMOTE_ERROR',
      rpcCode: -32_603,
    });
  });

  it('survives causes nested 100,000 deep', () => {
    const depth = 100_000;
    const data = JSON.parse(`${'{"cause":'.repeat(depth)}{}${'}'.repeat(depth)}`) as unknown;
    expect(decodeError(data, { message: 'x' }).message).toBe('x');
    const wide = JSON.parse(`${'{"errors":['.repeat(depth)}${']}'.repeat(depth)}`) as unknown;
    expect(decodeError(wide).errors).toHaveLength(1);
  });

  it('says that there was no message', () => {
    expect(decodeError({}).message).toBe('The far side gave no message.');
  });

  it('keeps the far name in the far stack when only a cause came', () => {
    const error = decodeError({ name: 'E', message: 'm', cause: { message: 'c' } });
    expect((error.cause as Error).stack).toBe('E: m\n    (the far side sent no stack)');
  });
});
