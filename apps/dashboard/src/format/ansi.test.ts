import { describe, expect, it } from 'vitest';
import { parseAnsi, stripAnsi } from './ansi.ts';

const ESC = '\u001B';

describe('parseAnsi', () => {
  it('gives spans with the classes of their colours', () => {
    expect(parseAnsi(`plain ${ESC}[1;31mred${ESC}[22m thin${ESC}[0m again`)).toEqual([
      { text: 'plain ', className: '' },
      { text: 'red', className: 'ansi-31 ansi-bold' },
      { text: ' thin', className: 'ansi-31' },
      { text: ' again', className: '' },
    ]);
  });

  it('takes the first 16 of 256 colours, and leaves true colours and grounds plain', () => {
    expect(parseAnsi(`${ESC}[38;5;9mbright`)).toEqual([{ text: 'bright', className: 'ansi-91' }]);
    expect(parseAnsi(`${ESC}[38;2;31;32;33mtrue`)).toEqual([{ text: 'true', className: '' }]);
    expect(parseAnsi(`${ESC}[48;5;2;34mblue`)).toEqual([{ text: 'blue', className: 'ansi-34' }]);
  });

  it('leaves out what is no colour: cursor moves, titles, and an escape alone stays', () => {
    expect(stripAnsi(`${ESC}[2K${ESC}[1Gline${ESC}]0;title\u0007 end`)).toBe('line end');
    expect(parseAnsi(`a${ESC}[2Kb`)).toEqual([
      { text: 'a', className: '' },
      { text: 'b', className: '' },
    ]);
  });
});
