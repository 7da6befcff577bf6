import { describe, expect, it } from 'vitest';
import { type ConsoleLine, createConsoleBuffer } from './console-buffer.ts';
import { createLineLayout } from './line-layout.ts';

const line = (text: string, stream: ConsoleLine['stream'] = 'stdout'): ConsoleLine => ({
  at: 0,
  stream,
  level: 'INFO',
  text,
});
const texts = (lines: readonly ConsoleLine[]): readonly string[] => lines.map(({ text }) => text);

describe('createConsoleBuffer', () => {
  it('shows the chosen streams, and notes always', () => {
    const buffer = createConsoleBuffer();
    buffer.push([line('out'), line('err', 'stderr'), line('gone', 'note')]);
    expect(texts(buffer.shown)).toEqual(['out', 'err', 'gone']);
    buffer.show({ stdout: false, stderr: true });
    buffer.push([line('out 2'), line('err 2', 'stderr')]);
    expect(texts(buffer.shown)).toEqual(['err', 'gone', 'err 2']);
  });

  it('forgets the oldest lines beyond its limit, and counts them', () => {
    const buffer = createConsoleBuffer(100);
    buffer.push(Array.from({ length: 250 }, (_, index) => line(String(index))));
    expect(buffer.shown).toHaveLength(90);
    expect(buffer.shown.at(-1)?.text).toBe('249');
    expect(buffer.forgotten).toBe(160);
  });

  it('finds lines by their text without colours, in whatever case', () => {
    const buffer = createConsoleBuffer();
    buffer.push([line('one'), line('\u001B[31mOn\u001B[0me more'), line('two')]);
    expect(buffer.search('ONE')).toEqual([0, 1]);
    expect(buffer.search('')).toEqual([]);
  });
});

describe('createLineLayout', () => {
  it('knows where each line stands, wide characters and colours counted rightly', () => {
    const layout = createLineLayout();
    const lines = [line('12345'), line(''), line('123456'), line('漢字漢'), line('\u001B[31m12345\u001B[0m')];
    layout.update(lines, 0, 5);
    expect(lines.map((_, index) => layout.rowOf(index))).toEqual([0, 1, 2, 4, 6]);
    expect(layout.rows).toBe(7);
    expect([0, 1, 2, 3, 4, 5, 6, 99].map((row) => layout.lineAt(row))).toEqual([0, 1, 2, 2, 3, 3, 4, 4]);
  });

  it('takes lines that were added, and begins anew for another width', () => {
    const layout = createLineLayout();
    layout.update([line('123456')], 0, 5);
    layout.update([line('123456'), line('1')], 0, 5);
    expect(layout.rows).toBe(3);
    layout.update([line('123456'), line('1')], 0, Infinity);
    expect(layout.rows).toBe(2);
    layout.update([], 1, Infinity);
    expect(layout.rows).toBe(0);
  });
});
