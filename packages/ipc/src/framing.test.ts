import { describe, expect, it } from 'vitest';
import { encodeFrame } from './codec.ts';
import { createFrameDecoder, type FrameDecoderOptions, MalformedFrame } from './framing.ts';
import type { Message } from './message.ts';

function setup(options: FrameDecoderOptions = {}) {
  const decoder = createFrameDecoder(options);
  return {
    decoder,
    /** What all chunks gave, messages as they are and malformed frames as their reason. */
    decode: (...chunks: (string | Uint8Array)[]) =>
      chunks
        .flatMap((chunk) => decoder.push(Buffer.from(chunk)))
        .map((frame) => (frame instanceof MalformedFrame ? frame.reason : frame)),
  };
}

const ping = (id: number): Message => ({ jsonrpc: '2.0', id, method: 'ping' });
const line = (message: unknown): string => `${JSON.stringify(message)}\n`;

describe('createFrameDecoder', () => {
  it('parses two frames with multi-byte characters split at every byte boundary', () => {
    const messages: Message[] = [
      { jsonrpc: '2.0', method: 'say', params: { text: 'é 漢 🦊 \u2028' } },
      { jsonrpc: '2.0', id: 7, result: ['ü'] },
    ];
    const bytes = Buffer.from(messages.map(encodeFrame).join(''));
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(setup().decode(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(messages);
    }
    expect(setup().decode(...[...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(messages);
  });

  it.each([100, 1_000, 65_536])('joins a long frame that comes %i bytes at a time', (size) => {
    const { decode } = setup();
    for (const length of [3_000, 40_000, 500_000]) {
      const message = {
        jsonrpc: '2.0',
        id: 1,
        result: Array.from({ length: length / 10 }, (_, n) => `${n} 漢`),
      };
      const bytes = Buffer.from(line(message));
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(decode(...chunks)).toEqual([message]);
    }
  });

  it('parses many frames in one chunk in order', () => {
    const messages = Array.from({ length: 1_000 }, (_, index) => ping(index + 1));
    expect(setup().decode(messages.map(line).join(''))).toEqual(messages);
  });

  it('accepts CRLF, blank lines and a byte order mark at the start', () => {
    const { decode } = setup();
    expect(
      decode('\uFEFF', line(ping(1)).replace('\n', '\r\n'), '\n\r\n  \t\r\n\n', ` ${line(ping(2))}`),
    ).toEqual([ping(1), ping(2)]);
  });

  it('accepts a byte order mark on the first line alone', () => {
    expect(setup().decode(line(ping(1)), `\uFEFF${line(ping(2))}`)).toEqual([ping(1), 'not JSON']);
    const invalidFirst = Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(`\uFEFF${line(ping(2))}`)]);
    expect(setup().decode(invalidFirst)).toEqual(['not valid UTF-8', 'not JSON']);
  });

  it('loses one frame to invalid UTF-8 and none beside it', () => {
    const bytes = Buffer.concat([
      Buffer.from(line(ping(1))),
      Buffer.from([0x7b, 0xc3, 0x28, 0x0a]),
      Buffer.from(line(ping(2))),
    ]);
    expect(setup().decode(bytes)).toEqual([ping(1), 'not valid UTF-8', ping(2)]);
    expect(setup().decode(...[...bytes].map((byte) => Uint8Array.of(byte)))).toEqual([
      ping(1),
      'not valid UTF-8',
      ping(2),
    ]);
  });

  it.each([
    ['a NUL', '{"jsonrpc":"2.0","method":"x\0"}', 'not JSON'],
    ['a print', 'hello', 'not JSON'],
    ['half a frame', '{"jsonrpc":"2.0","me', 'not JSON'],
    ['two frames on a line', '{"jsonrpc":"2.0","method":"a"}{"jsonrpc":"2.0","method":"b"}', 'not JSON'],
    ['a number', '42', 'not a JSON object'],
    ['a batch', '[{"jsonrpc":"2.0","method":"a"}]', 'not a JSON object'],
    ['null', 'null', 'not a JSON object'],
    ['another JSON-RPC', '{"method":"a"}', 'no "jsonrpc": "2.0"'],
  ])('reports %s as malformed and goes on', (_, text, reason) => {
    expect(setup().decode(`${text}\n`, line(ping(1)))).toEqual([reason, ping(1)]);
  });

  it('reports an unfinished last line at the end', () => {
    const { decoder } = setup();
    decoder.push(Buffer.from('{"jsonrpc":"2.0","method":"a"}'));
    const [tail] = decoder.end();
    expect(tail).toMatchObject({ reason: 'not ended by a newline', sizeBytes: 30 });
    expect(decoder.end()).toEqual([]);
    decoder.push(Buffer.from(' \r'));
    expect(decoder.end()).toEqual([]);
  });

  it('keeps no reference to a chunk, which its owner may use again', () => {
    const { decoder } = setup();
    const chunk = Buffer.from('{"jsonrpc":"2.0","me');
    decoder.push(chunk);
    chunk.fill(0);
    expect(decoder.push(Buffer.from('thod":"a"}\n'))).toEqual([{ jsonrpc: '2.0', method: 'a' }]);
  });

  it('never lets a __proto__ key reach a prototype', () => {
    const [message] = setup().decode(
      '{"jsonrpc":"2.0","id":1,"result":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}},"__proto__":{"method":"x"}}\n',
    );
    const { result } = message as { result: object };
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(message)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect('polluted' in result).toBe(false);
  });

  it('parses what is nested 300,000 deep', () => {
    const deep = 300_000;
    const frames = setup().decode(
      `{"jsonrpc":"2.0","method":"x","params":${'['.repeat(deep)}${']'.repeat(deep)}}\n`,
      `${'['.repeat(deep)}\n`,
      `${'{"a":'.repeat(deep)}\n`,
    );
    expect(frames).toEqual([expect.objectContaining({ method: 'x' }), 'not JSON', 'not JSON']);
  });
});

describe('the limit', () => {
  const limit = 64;
  const ofLength = (length: number): string => {
    const empty = '{"jsonrpc":"2.0","method":""}';
    return empty.replace('""', `"${'m'.repeat(length - empty.length)}"`);
  };

  it('takes a frame of exactly the limit and refuses one byte more, however it is cut', () => {
    for (const size of [1, 7, 1_000]) {
      const bytes = Buffer.from(`${ofLength(limit)}\n${ofLength(limit + 1)}\n${line(ping(1))}`);
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(setup({ maxMessageBytes: limit }).decode(...chunks)).toEqual([
        JSON.parse(ofLength(limit)),
        'longer than the limit of 64 bytes',
        ping(1),
      ]);
    }
  });

  it('tells the size and the start of what it refuses', () => {
    const { decoder } = setup({ maxMessageBytes: limit });
    expect(decoder.push(Buffer.from('x'.repeat(300)))).toEqual([]);
    const [refused] = decoder.push(Buffer.from('y\n'));
    expect(refused).toMatchObject({
      reason: 'longer than the limit of 64 bytes',
      sizeBytes: 301,
      preview: 'x'.repeat(200),
    });
  });

  it('counts bytes, not characters', () => {
    const text = `{"jsonrpc":"2.0","method":"${'漢'.repeat(20)}"}\n`;
    expect(text.length).toBeLessThan(limit);
    expect(setup({ maxMessageBytes: limit }).decode(text)).toEqual(['longer than the limit of 64 bytes']);
  });

  it('does not hold an over-long line', () => {
    const { decoder } = setup({ maxMessageBytes: 100_000 });
    const chunk = Buffer.alloc(65_536, 'x');
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < 2_000; sent += 1) decoder.push(chunk);
    // 131 MB went in.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000);
    expect(decoder.push(Buffer.from('\n'))).toEqual([expect.objectContaining({ sizeBytes: 131_072_000 })]);
  });

  it('holds a line that comes byte by byte in little more than its size', () => {
    const { decoder } = setup();
    const before = process.memoryUsage();
    for (let sent = 0; sent < 300_000; sent += 1) decoder.push(Uint8Array.of(0x78));
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(15_000_000);
    expect(decoder.end()).toEqual([expect.objectContaining({ sizeBytes: 300_000 })]);
  });

  it('names the request whose answer is too long', () => {
    const { decoder } = setup({ maxMessageBytes: limit });
    const long = 'x'.repeat(limit);
    const answers = (text: string) =>
      decoder.push(Buffer.from(`${text}\n`)).map((frame) => (frame as MalformedFrame).answersTo);
    expect(answers(`{"jsonrpc":"2.0","id":12,"result":"${long}"}`)).toEqual([12]);
    expect(answers(` { "id": 3, "jsonrpc": "2.0", "error": {"message":"${long}`)).toEqual([3]);
    expect(answers(`{"jsonrpc":"2.0","id":12,"method":"${long}"}`)).toEqual([undefined]);
    expect(answers(`print {"jsonrpc":"2.0","id":12,"result":"${long}"}`)).toEqual([undefined]);
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity, 2 ** 40])('refuses the limit %s', (maxMessageBytes) => {
    expect(() => createFrameDecoder({ maxMessageBytes })).toThrow(/`maxMessageBytes`/);
  });
});

describe('MalformedFrame', () => {
  const preview = (bytes: string | Uint8Array): string =>
    new MalformedFrame('test', 0, Buffer.from(bytes)).preview;

  it('escapes control characters, also those beyond ASCII, and invalid bytes', () => {
    expect(preview('\u001B[2J"tab\t')).toBe(String.raw`\u001b[2J\"tab\t`);
    expect(preview('a\u009B2J\u007F\u2028\u202E')).toBe(String.raw`a\u009b2J\u007f\u2028\u202e`);
    expect(preview(Uint8Array.of(0x61, 0xff, 0x62, 0x0d))).toBe(String.raw`a\xffb\r`);
  });

  it('cuts at 200 bytes, between characters', () => {
    expect(preview('x'.repeat(300))).toBe('x'.repeat(200));
    expect(preview(`x${'漢'.repeat(100)}`)).toBe(`x${'漢'.repeat(66)}`);
  });
});
