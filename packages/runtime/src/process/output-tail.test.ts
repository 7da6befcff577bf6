import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOutputTail } from './output-tail.ts';

describe('createOutputTail', () => {
  it('keeps everything while it fits', () => {
    const tail = createOutputTail(10);
    expect(tail.text()).toBe('');
    tail.push(Buffer.from('abc'));
    tail.push(Buffer.from('def'));
    expect(tail.text()).toBe('abcdef');
  });

  it('keeps the last bytes however they are cut', () => {
    const chunks = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 }));
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 40 }), (texts, maxBytes) => {
        const tail = createOutputTail(maxBytes);
        for (const text of texts) tail.push(Buffer.from(text));
        expect(tail.text()).toBe(texts.join('').slice(-maxBytes));
      }),
    );
  });

  it('begins at a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.integer({ min: 4, max: 30 }),
        (text, maxBytes) => {
          const tail = createOutputTail(maxBytes);
          for (const byte of Buffer.from(text)) tail.push(Buffer.from([byte]));
          expect(Buffer.from(text).toString().endsWith(tail.text())).toBe(true);
          expect(tail.text()).not.toMatch(/^\uFFFD/);
        },
      ),
    );
  });

  it('does not keep the chunk it was given alive, nor changes with it', () => {
    const tail = createOutputTail(4);
    const chunk = Buffer.from('abcdef');
    tail.push(chunk);
    chunk.fill('x');
    expect(tail.text()).toBe('cdef');
  });

  it('refuses a size that is none', () => {
    expect(() => createOutputTail(0)).toThrow(/`maxBytes` to be an integer ≥ 1, got `0`/);
  });
});
