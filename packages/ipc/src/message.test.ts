import { describe, expect, it } from 'vitest';
import { messageFault } from './message.ts';

describe('messageFault', () => {
  it.each([
    { id: 1, method: 'run' },
    { id: Number.MAX_SAFE_INTEGER, method: 'run', params: [1] },
    { method: 'hello', params: {} },
    { id: 1, result: null },
    { id: 1, result: false },
    { id: 1, error: { code: -32_000, message: '' } },
    { id: null, error: { code: 1, message: 'x', data: null } },
    { id: 1, method: 'run', unknown: 'field' },
  ])('accepts %j', (fields) => {
    expect(messageFault({ jsonrpc: '2.0', ...fields })).toBeUndefined();
  });

  it.each([
    [{ jsonrpc: 2, method: 'a' }, 'no "jsonrpc": "2.0"'],
    [{ jsonrpc: '1.0', method: 'a' }, 'no "jsonrpc": "2.0"'],
    [{ method: 'a' }, 'no "jsonrpc": "2.0"'],
    [{ jsonrpc: '2.0' }, 'neither a method, a result nor an error'],
    [{ jsonrpc: '2.0', id: 1 }, 'neither a method, a result nor an error'],
    [{ jsonrpc: '2.0', method: 5 }, '"method" is not a string'],
    [{ jsonrpc: '2.0', method: null }, '"method" is not a string'],
    [{ jsonrpc: '2.0', id: 0, method: 'a' }, '"id" is not a positive integer'],
    [{ jsonrpc: '2.0', id: -1, method: 'a' }, '"id" is not a positive integer'],
    [{ jsonrpc: '2.0', id: 1.5, method: 'a' }, '"id" is not a positive integer'],
    [{ jsonrpc: '2.0', id: 2 ** 60, method: 'a' }, '"id" is not a positive integer'],
    [{ jsonrpc: '2.0', id: '1', method: 'a' }, '"id" is not a positive integer'],
    [{ jsonrpc: '2.0', id: null, method: 'a' }, '"id" is not a positive integer'],
    [{ jsonrpc: '2.0', result: 1 }, '"id" is not a positive integer'],
    [{ jsonrpc: '2.0', id: null, result: 1 }, '"id" is not a positive integer'],
    [{ jsonrpc: '2.0', id: {}, result: 1 }, '"id" is not a positive integer'],
    [{ jsonrpc: '2.0', error: { code: 1, message: '' } }, '"id" is not a positive integer'],
    [{ jsonrpc: '2.0', id: 1, error: null }, '"error" lacks a numeric code or a message'],
    [{ jsonrpc: '2.0', id: 1, error: 'x' }, '"error" lacks a numeric code or a message'],
    [
      { jsonrpc: '2.0', id: 1, error: { code: '1', message: '' } },
      '"error" lacks a numeric code or a message',
    ],
    [{ jsonrpc: '2.0', id: 1, error: { code: 1 } }, '"error" lacks a numeric code or a message'],
  ])('refuses %j', (value, fault) => {
    expect(messageFault(value)).toBe(fault);
  });
});
