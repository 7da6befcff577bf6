import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineBatches, MAX_PIECE_BYTES } from './line-batches.ts';
import { formatBatch, MAX_ENTRY_BYTES, parseEntries, rawBytes } from './log-format.ts';
import type { OutputStream } from './output-entry.ts';

const AT = Date.parse('2026-03-08T07:00:00.123Z');

/** The log of what is written, chunk by chunk. */
function logOf(chunks: readonly (readonly [OutputStream, Uint8Array])[]) {
  const parts: Buffer[] = [];
  let entries = 0;
  const writer = (stream: OutputStream) =>
    createLineBatches((batch, endsLine) => {
      const formatted = formatBatch(batch, endsLine, stream, AT);
      parts.push(formatted.bytes);
      entries += formatted.entries;
    });
  const writers = { stdout: writer('stdout'), stderr: writer('stderr') };
  for (const [stream, bytes] of chunks) writers[stream].push(Buffer.from(bytes));
  writers.stdout.end();
  writers.stderr.end();
  return { log: Buffer.concat(parts), entries };
}

describe('the format of a log', () => {
  it('has time, level, stream and text', () => {
    const { log } = logOf([
      ['stdout', Buffer.from('hello\nan error\n')],
      ['stderr', Buffer.from('oops\n')],
      ['stdout', Buffer.from('no line end')],
    ]);
    expect(log.toString()).toBe(
      '[2026-03-08T07:00:00.123Z] [INFO] [stdout] hello\n' +
        '[2026-03-08T07:00:00.123Z] [ERROR] [stdout] an error\n' +
        '[2026-03-08T07:00:00.123Z] [ERROR] [stderr] oops\n' +
        '[2026-03-08T07:00:00.123Z] [INFO] [stdout]~no line end\n',
    );
  });

  it('gives back every byte of each stream, whatever was written in whatever pieces', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc
        .constantFrom('\n', '\r\n', 'error\n', 'é', '\0', '] [INFO] [stdout] x\n')
        .map((text) => Buffer.from(text)),
    );
    const chunks = fc.array(fc.tuple(fc.constantFrom('stdout' as const, 'stderr' as const), bytes), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(chunks, (written) => {
        const { log, entries } = logOf(written);
        for (const stream of ['stdout', 'stderr'] as const) {
          const expected = Buffer.concat(written.filter(([name]) => name === stream).map(([, part]) => part));
          expect(rawBytes(log, stream).equals(expected)).toBe(true);
        }
        const parsed = parseEntries(log, 1_000);
        expect(parsed).toHaveLength(entries);
        expect(parsed.at(-1)?.nextOffset ?? 1_000).toBe(1_000 + log.length);
        expect(parsed.every(({ at }) => at === AT)).toBe(true);
      }),
    );
  });

  it('reads entries as they were printed, without their line ends', () => {
    const { log } = logOf([['stdout', Buffer.from('one\r\n\ntwo\xff\n', 'latin1')]]);
    const texts = parseEntries(log, 0).map(({ text, endsLine }) => [text, endsLine]);
    expect(texts).toEqual([
      ['one', true],
      ['', true],
      ['two\uFFFD', true],
    ]);
  });

  it('cuts a long line between characters, and never into an entry that is longer than promised', () => {
    const line = `${'é'.repeat(5_000_000)}\n`;
    const { log } = logOf([['stdout', Buffer.from(line)]]);
    const entries = parseEntries(log, 0);
    expect(entries.map(({ text }) => text).join('') === line.trimEnd()).toBe(true);
    expect(entries.map(({ endsLine }) => endsLine).lastIndexOf(false)).toBe(entries.length - 2);
    const longest = Math.max(...entries.map(({ offset, nextOffset }) => nextOffset - offset));
    expect(longest).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
  });

  it('ends a line of exactly one piece with its last bytes, not with an empty one', () => {
    const { log } = logOf([['stdout', Buffer.from(`${'x'.repeat(2 * MAX_PIECE_BYTES)}\n`)]]);
    expect(parseEntries(log, 0).map(({ text }) => text.length)).toEqual([MAX_PIECE_BYTES, MAX_PIECE_BYTES]);
  });
});
