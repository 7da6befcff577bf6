import { describe, expect, it } from 'vitest';
import { escapeBytes, Exchange } from './exchange.ts';
import { parseLine, shapeFault } from './line.ts';

describe('shapeFault', () => {
  it.each([
    { id: 1, method: 'run', params: {} },
    { method: 'hello', params: null },
    { id: Number.MAX_SAFE_INTEGER, result: null },
    { id: null, error: { code: -32_700, message: '' } },
    { id: 7, error: { code: 1, message: 'no', data: 1 } },
  ])('takes %j', (message) => {
    expect(shapeFault({ jsonrpc: '2.0', ...message })).toBeUndefined();
  });

  it.each([
    [{ jsonrpc: '1.0', method: 'hello' }, 'jsonrpc'],
    [{ method: 42 }, '`method`'],
    [{ method: 'x', result: 1 }, 'a `method` and an answer'],
    [{ id: null, method: 'x' }, '`id`'],
    [{}, 'exactly one'],
    [{ id: 1, result: 1, error: null }, 'exactly one'],
    [{ id: 1.5, result: 1 }, '`id`'],
    [{ id: null, result: 1 }, '`id`'],
    [{ id: '1', error: { code: 1, message: '' } }, '`id`'],
    [{ id: 1, error: 'no' }, '`error`'],
    [{ id: 1, error: { code: '1', message: '' } }, '`error.code`'],
    [{ id: 1, error: { code: 1 } }, '`error.message`'],
  ])('refuses %j', (message, why) => {
    expect(shapeFault({ jsonrpc: '2.0', ...message })).toContain(why);
  });
});

describe('parseLine', () => {
  it('skips a byte order mark on the first line only', () => {
    const bytes = Buffer.from('\uFEFF{"a":1}');
    expect(parseLine(bytes, 0).message).toEqual({ a: 1 });
    expect(parseLine(bytes, 1).fault).toBe('not JSON');
  });

  it('says why a line is no frame', () => {
    const faults = [Buffer.of(0xff), Buffer.from('x'), Buffer.from('[]'), Buffer.from('null')].map(
      (bytes) => parseLine(bytes, 1).fault,
    );
    expect(faults).toEqual(['not valid UTF-8', 'not JSON', 'not a JSON object', 'not a JSON object']);
  });
});

describe('Exchange', () => {
  it('escapes what a terminal would act on', () => {
    expect(escapeBytes(Buffer.from('a\\\n\r\t\u001B[0mé'))).toBe('a\\\\\\n\\r\\t\\x1b[0m\\xc3\\xa9');
  });

  it('keeps the start of long chunks and the last of many', () => {
    const exchange = new Exchange();
    exchange.record('host', Buffer.from('first'));
    for (let index = 0; index < 100; index += 1) exchange.record('worker', Buffer.alloc(1_000, 'x'));
    const lines = exchange.shown();
    expect(lines).toHaveLength(31);
    expect(lines[0]).toBe('(71 before)');
    expect(lines[30]).toBe(`← ${'x'.repeat(300)} … (700 bytes more)`);
  });
});
