import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeNotification, encodeRequest, encodeResult } from './codec.ts';
import { messageFault } from './message.ts';
import { parsePlainFrame } from './plain-frame.ts';

const line = (frame: string): string => frame.slice(0, -1);

describe('parsePlainFrame', () => {
  it('reads what this package writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 15 - 1 }), fc.json(), (id, json) => {
        const value = JSON.parse(json) as unknown;
        expect(parsePlainFrame(line(encodeResult(id, value)))).toEqual(JSON.parse(encodeResult(id, value)));
        const request = encodeRequest(id, 'run', value);
        expect(parsePlainFrame(line(request))).toEqual(JSON.parse(request));
      }),
    );
  });

  it('reads a frame in the midst of others, whatever the method of the one before was', () => {
    const methods = ['run', 'run', 'ping', 'a-method-of-more-than-a-dozen-letters', '', 'run'];
    const frames = methods.map((method, at) => encodeRequest(at + 1, method, { at }));
    const text = frames.join('');
    let from = 0;
    const read = frames.map((frame) => {
      const to = from + frame.length - 1;
      const message = parsePlainFrame(text, from, to);
      from = to + 1;
      return message;
    });
    expect(read).toEqual(frames.map((frame) => JSON.parse(frame) as unknown));
  });

  it('looks at nothing behind the frame', () => {
    const cut = '{"jsonrpc":"2.0","id":7';
    expect(parsePlainFrame(`${cut}\n,"result":1}`, 0, cut.length)).toBeUndefined();
    const open = '{"jsonrpc":"2.0","id":7,"method":"ru}';
    expect(parsePlainFrame(`${open}\nn","params":1}`, 0, open.length)).toBeUndefined();
  });

  it('says the same as the general way, or gives up', () => {
    const piece = fc.constantFrom(
      '{"jsonrpc":"2.0","id":',
      '1',
      '01',
      '-1',
      '1.5',
      '1e3',
      '9007199254740993',
      '0',
      ' 1',
      '"1"',
      ',"result":',
      ',"method":"',
      ',"params":',
      '","params":',
      '"',
      '}',
      '\\',
      '\n',
      '\t',
      'run',
      '{}',
      '[1]',
      'null',
      '1',
      '"x"',
      ',"id":2',
      ',"error":{}',
      ' ',
      '__proto__',
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 9 }), (pieces) => {
        const text = pieces.join('');
        const plain = parsePlainFrame(text);
        if (plain === undefined) return;
        const general = JSON.parse(text) as unknown;
        expect(messageFault(general)).toBeUndefined();
        expect(plain).toEqual(general);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    ['a notification', line(encodeNotification('log', {}))],
    ['an error', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}'],
    ['a request without parameters', line(encodeRequest(1, 'ping', undefined))],
    ['a field behind the value', '{"jsonrpc":"2.0","id":1,"result":1,"extra":2}'],
    ['a second result', '{"jsonrpc":"2.0","id":1,"result":1,"result":2}'],
    ['an escape in the method', '{"jsonrpc":"2.0","id":1,"method":"r\\u0075n","params":{}}'],
    ['white space', '{"jsonrpc": "2.0","id":1,"result":1}'],
    ['a carriage return', '{"jsonrpc":"2.0","id":1,"result":1}\r'],
    ['a leading zero', '{"jsonrpc":"2.0","id":01,"result":1}'],
    ['no id', '{"jsonrpc":"2.0","id":,"result":1}'],
    ['no JSON', '{"jsonrpc":"2.0","id":1,"result":}'],
  ])('leaves %s to the general way', (_, text) => {
    expect(parsePlainFrame(text)).toBeUndefined();
  });

  it('never reaches a prototype', () => {
    const frame = parsePlainFrame('{"jsonrpc":"2.0","id":1,"result":{"__proto__":{"polluted":true}}}');
    expect(Object.getPrototypeOf(frame && 'result' in frame ? frame.result : undefined)).toBe(
      Object.prototype,
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
