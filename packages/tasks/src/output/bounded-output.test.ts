import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBoundedOutput } from './bounded-output.ts';

describe('a bounded output', () => {
  it('keeps all that fits', () => {
    const output = createBoundedOutput(12);
    for (const text of ['hé', 'llo ', 'world']) output.push(Buffer.from(text));
    expect([output.text(), output.omittedBytes]).toEqual(['héllo world', 0]);
  });

  it('keeps the beginning and the end of more, and says what is missing', () => {
    const output = createBoundedOutput(8);
    output.push(Buffer.from('abcdefghij'));
    output.push(Buffer.from('klmnopqrst'));
    expect([output.text(), output.omittedBytes]).toEqual(['abcd\n[12 bytes left out]\nqrst', 12]);
  });

  it('cuts between characters', () => {
    const output = createBoundedOutput(10);
    output.push(Buffer.from('€'.repeat(10)));
    expect(output.text()).toBe('€\n[24 bytes left out]\n€');
  });

  it('keeps the same of the same bytes, however they are cut', () => {
    const chunks = fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 30 }), { maxLength: 30 });
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 64 }), (texts, maxBytes) => {
        const output = createBoundedOutput(maxBytes);
        for (const text of texts) output.push(Buffer.from(text));
        const all = texts.join('');
        const omitted = Math.max(0, all.length - maxBytes);
        const head = Math.ceil(maxBytes / 2);
        const shown =
          omitted === 0
            ? all
            : `${all.slice(0, head)}\n[${omitted} bytes left out]\n${all.slice(all.length - (maxBytes - head))}`;
        expect([output.text(), output.omittedBytes]).toEqual([shown, omitted]);
      }),
    );
  });

  it('replaces what is no UTF-8', () => {
    const output = createBoundedOutput(100);
    output.push(Buffer.from([0x61, 0xff, 0x62]));
    expect(output.text()).toBe('a\uFFFDb');
  });
});
