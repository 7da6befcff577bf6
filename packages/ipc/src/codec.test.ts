import { describe, expect, it } from 'vitest';
import {
  encodeExact,
  encodeFrame,
  encodeNotification,
  encodeRequest,
  encodeResult,
  JsonText,
} from './codec.ts';
import { NotSerializableError } from './ipc-errors.ts';
import type { Message } from './message.ts';

function fault(act: () => unknown): NotSerializableError {
  try {
    act();
  } catch (error) {
    if (error instanceof NotSerializableError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

const cycle: Record<string, unknown> = { a: { b: {} } };
(cycle['a'] as { b: { back?: unknown } }).b.back = cycle;

function nest(depth: number): unknown {
  let value: unknown = 1;
  for (let at = 0; at < depth; at += 1) value = [value];
  return value;
}

describe('encodeFrame', () => {
  it.each<Message>([
    { jsonrpc: '2.0', id: 1, method: 'run', params: { input: [1, 'x', null, true] } },
    { jsonrpc: '2.0', id: 1, method: 'with "quotes" and \n' },
    { jsonrpc: '2.0', method: 'note', params: { id: 4 } },
    { jsonrpc: '2.0', method: 'note' },
    { jsonrpc: '2.0', id: 9, result: { text: 'line\nbreak \u2028 \uD800' } },
    { jsonrpc: '2.0', id: 9, result: null },
    { jsonrpc: '2.0', id: 9, error: { code: -32_000, message: 'no', data: { name: 'E' } } },
    { jsonrpc: '2.0', id: null, error: { code: -32_700, message: 'what?' } },
  ])('writes %j as one line of JSON', (message) => {
    const frame = encodeFrame(message);
    expect(frame.indexOf('\n')).toBe(frame.length - 1);
    expect(JSON.parse(frame)).toEqual(message);
  });

  it('marks a result that is undefined, and leaves undefined params out', () => {
    expect(encodeResult(1, undefined)).toBe('{"jsonrpc":"2.0","id":1,"result":null,"undefined":true}\n');
    expect(encodeNotification('n', undefined)).toBe('{"jsonrpc":"2.0","method":"n"}\n');
  });
});

const TOO_DEEP = 'nested too deeply';

/** What is made, or in a few words why it can't be. */
function textOrFault(make: () => string): string {
  try {
    return make();
  } catch (error) {
    const { message } = error as Error;
    const isTooDeep = error instanceof RangeError || message.includes(TOO_DEEP);
    return isTooDeep && message.length < 1_000 ? TOO_DEEP : message;
  }
}

describe('JsonText', () => {
  it('goes out as it is', () => {
    const params = new JsonText(`{"task":"add","input":${encodeExact('params.input', [1, 2])}}`);
    expect(encodeFrame({ jsonrpc: '2.0', id: 1, method: 'run', params })).toBe(
      '{"jsonrpc":"2.0","id":1,"method":"run","params":{"task":"add","input":[1,2]}}\n',
    );
  });

  it('is written around values that name their path when they can not go', () => {
    expect(() => encodeExact('params.input', { at: [new Date(0)] })).toThrow('`params.input.at[0]`');
  });
});

it('a request names its method, whatever the one before was called', () => {
  const methods = ['run', 'run', 'odd "name"', '', 'run'];
  const frames = methods.map((method) => encodeFrame({ jsonrpc: '2.0', id: 1, method }));
  expect(frames.map((frame) => (JSON.parse(frame) as { method: string }).method)).toEqual(methods);
});

describe('what JSON can not carry', () => {
  it.each<readonly [string, unknown, string, string]>([
    ['a BigInt', { items: [{ id: 1 }, { id: 2n }] }, 'result.items[1].id', 'a BigInt'],
    ['a BigInt at the top', 2n, 'result', 'a BigInt'],
    ['a cycle', cycle, 'result.a.b.back', 'a cycle'],
    ['a function at the top', () => undefined, 'result', 'a function'],
    ['a symbol at the top', Symbol('s'), 'result', 'a symbol'],
    [
      'a toJSON that throws',
      { when: { toJSON: () => JSON.parse('{') as unknown } },
      'result.when',
      'a value that throws when read',
    ],
    [
      'a getter that throws',
      {
        ok: 1,
        get 'odd key'(): never {
          throw new Error('boom');
        },
      },
      'result["odd key"]',
      'a value that throws when read (boom)',
    ],
    [
      'an object whose keys throw',
      { p: new Proxy({}, { ownKeys: () => [].at(1) as never }) },
      'result.p',
      'read',
    ],
    ['a nested BigInt behind toJSON', { d: { toJSON: () => 1n } }, 'result.d', 'a BigInt'],
  ])('names the path of %s', (_, value, path, what) => {
    const error = fault(() => encodeResult(1, value));
    expect(error.path).toBe(path);
    expect(error.code).toBe('NOT_SERIALIZABLE');
    expect(error.message).toContain(`Can't send \`${path}\``);
    expect(error.message).toContain(what);
  });

  it('names params as the root in requests and notifications', () => {
    expect(fault(() => encodeRequest(1, 'm', { a: 1n })).path).toBe('params.a');
    expect(fault(() => encodeNotification('m', [1n])).path).toBe('params[0]');
  });

  it('says that a value is nested too deeply', () => {
    const deep = nest(100_000);
    const json = textOrFault(() => JSON.stringify(deep));
    // Newer engines write any depth; then it is no fault.
    const expected = json === TOO_DEEP ? TOO_DEEP : `{"jsonrpc":"2.0","id":1,"result":${json}}\n`;
    expect(textOrFault(() => encodeResult(1, deep))).toBe(expected);
  });

  it('gives a value that appears twice without a cycle as JSON does', () => {
    const shared = { x: 1 };
    expect(JSON.parse(encodeResult(1, { a: shared, b: shared }))).toMatchObject({
      result: { a: { x: 1 }, b: { x: 1 } },
    });
  });
});
