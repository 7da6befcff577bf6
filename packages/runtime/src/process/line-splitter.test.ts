import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineSplitter, MAX_LINE_BYTES } from './line-splitter.ts';

/** The lines of `bytes`, pushed in chunks of these sizes, the last one over and over. */
function linesOf(bytes: Buffer, sizes: readonly number[] = [bytes.length]): string[] {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line));
  for (let from = 0, at = 0; from < bytes.length; at += 1) {
    const size = Math.max(1, sizes[Math.min(at, sizes.length - 1)] ?? 1);
    splitter.push(bytes.subarray(from, from + size));
    from += size;
  }
  splitter.end();
  return lines;
}

describe('createLineSplitter', () => {
  it.each([
    ['nothing', '', []],
    ['one line', 'a\n', ['a']],
    ['an unfinished last line', 'a\nb', ['a', 'b']],
    ['empty lines', '\n\na\n\n', ['', '', 'a', '']],
    ['CRLF', 'a\r\nb\r\n', ['a', 'b']],
    ['a carriage return inside a line', 'a\rb\n', ['a\rb']],
    ['two carriage returns before the newline', 'a\r\r\n', ['a\r']],
    ['umlauts and emoji', 'äöü\n😀\n', ['äöü', '😀']],
  ])('gives %s', (_what, text, lines) => {
    expect(linesOf(Buffer.from(text))).toEqual(lines);
    expect(linesOf(Buffer.from(text), [1])).toEqual(lines);
  });

  it('replaces an invalid byte and goes on', () => {
    expect(linesOf(Buffer.from([0x61, 0xff, 0x62, 0x0a, 0x63, 0x0a]))).toEqual(['a\uFFFDb', 'c']);
  });

  it('gives the same lines however the bytes are cut', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.constantFrom(10, 13, 97, 0xc3, 0xa4, 0xff), { maxLength: 200 }),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (data, sizes) => {
        expect(linesOf(Buffer.from(data), sizes)).toEqual(linesOf(Buffer.from(data)));
      }),
    );
  });

  it('gives the same pieces of lines around the limit however they are cut', () => {
    const part = fc.tuple(
      fc.constantFrom('x', 'ä', '😀', '\r'),
      fc.integer({ min: -3, max: 3 }),
      fc.constantFrom('', '\r'),
    );
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1 }),
        (parts, sizes) => {
          const text = parts.map(([unit, off, cr]) => {
            const count = Math.floor((MAX_LINE_BYTES + off) / Buffer.byteLength(unit));
            return `${'x'.repeat(Math.abs(off))}${unit.repeat(count)}${cr}\n`;
          });
          const bytes = Buffer.from(text.join(''));
          expect(linesOf(bytes, sizes)).toEqual(linesOf(bytes));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives a line at the limit as one, and a longer one in pieces that cut no character', () => {
    const longest = 'x'.repeat(MAX_LINE_BYTES);
    expect(linesOf(Buffer.from(`${longest}\n`))).toEqual([longest]);
    expect(linesOf(Buffer.from(`${longest}\r\n`), [MAX_LINE_BYTES, 1])).toEqual([longest]);
    const long = `x${'😀'.repeat(40_000)}`;
    const pieces = linesOf(Buffer.from(`${long}\nnext\n`), [1_000]);
    expect(pieces.at(-1)).toBe('next');
    expect(pieces.slice(0, -1).join('')).toBe(long);
    expect(pieces.slice(0, -1).map((piece) => Buffer.byteLength(piece) <= MAX_LINE_BYTES)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('gives pieces as they come when there is no newline at all', () => {
    const lines: string[] = [];
    const splitter = createLineSplitter((line) => lines.push(line));
    for (let i = 0; i < 10; i += 1) splitter.push(Buffer.alloc(MAX_LINE_BYTES / 2, 'x'));
    expect(lines.length).toBeGreaterThanOrEqual(4);
  });

  it('may be ended in the middle and go on', () => {
    const lines: string[] = [];
    const splitter = createLineSplitter((line) => lines.push(line));
    splitter.push(Buffer.from('half'));
    splitter.end();
    splitter.end();
    splitter.push(Buffer.from('other\n'));
    expect(lines).toEqual(['half', 'other']);
  });
});
