import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOutputCollector, TRUNCATION_MARK } from './output-collector.ts';

/** Cuts bytes into chunks at the given places. */
function chunksOf(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
}

const text = fc.string({ unit: 'grapheme', maxLength: 200 });
const places = fc.array(fc.nat(), { maxLength: 20 });

describe('an output collector', () => {
  it('gives text that fits as it came, however it was cut', () => {
    fc.assert(
      fc.property(text, places, fc.nat(50), (whole, cuts, spare) => {
        const bytes = Buffer.from(whole);
        const collector = createOutputCollector(bytes.length + spare);
        for (const chunk of chunksOf(bytes, cuts)) collector.push(chunk);
        expect(collector.text()).toBe(bytes.toString());
      }),
    );
  });

  it('gives the longest prefix that fits and ends with a whole character, then the mark', () => {
    fc.assert(
      fc.property(text, places, fc.nat(200), (whole, cuts, limit) => {
        const bytes = Buffer.from(whole);
        fc.pre(bytes.length > limit);
        const collector = createOutputCollector(limit);
        for (const chunk of chunksOf(bytes, cuts)) collector.push(chunk);
        const given = collector.text();
        expect(given.endsWith(TRUNCATION_MARK)).toBe(true);
        const kept = given.slice(0, -TRUNCATION_MARK.length);
        expect(bytes.toString().startsWith(kept)).toBe(true);
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(limit);
        const next = Array.from(bytes.toString().slice(kept.length))[0] ?? '';
        expect(Buffer.byteLength(kept + next)).toBeGreaterThan(limit);
      }),
    );
  });

  it('replaces bytes that are no UTF-8, and never fails', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), places, fc.nat(120), (raw, cuts, limit) => {
        const bytes = Buffer.from(raw);
        const collector = createOutputCollector(limit);
        for (const chunk of chunksOf(bytes, cuts)) collector.push(chunk);
        const given = collector.text();
        expect(given.endsWith(TRUNCATION_MARK)).toBe(bytes.length > limit);
        expect(bytes.length > limit || given === bytes.toString()).toBe(true);
      }),
    );
  });

  it('takes exactly the limit without a mark, and says so for one byte more', () => {
    const collector = createOutputCollector(4);
    collector.push(Buffer.from('abcd'));
    collector.push(Buffer.alloc(0));
    expect(collector.text()).toBe('abcd');
    collector.push(Buffer.from('e'));
    expect(collector.text()).toBe(`abcd${TRUNCATION_MARK}`);
  });

  it('keeps what it was given, also when the chunk is used again', () => {
    const collector = createOutputCollector(10);
    const chunk = Buffer.from('first');
    collector.push(chunk);
    chunk.fill('x');
    expect(collector.text()).toBe('first');
  });

  it('may be read at any time', () => {
    const collector = createOutputCollector(10);
    expect(collector.text()).toBe('');
    collector.push(Buffer.from('a'));
    expect(collector.text()).toBe('a');
    collector.push(Buffer.from('b'));
    expect(collector.text()).toBe('ab');
  });
});
