import { describe, expect, it } from 'vitest';
import { createEventParser } from './event-parser.ts';

const STREAM = [
  '\uFEFFretry: 1000\n\n',
  'id: 7\nevent: run\ndata: {"a":\ndata: 1}\n\n',
  ': a comment\n\n',
  'data:no space\r\n\r\n',
  'event: stats\rdata:  two\r\r',
  'event: nothing\n\n',
  'id\ndata\n\n',
].join('');

const EVENTS = [
  { id: '7', type: 'run', data: '{"a":\n1}' },
  { id: '7', type: 'message', data: 'no space' },
  { id: '7', type: 'stats', data: ' two' },
  { id: '', type: 'message', data: '' },
];

describe('createEventParser', () => {
  it('gives events with their types, and ids that stay', () => {
    expect(createEventParser().push(STREAM)).toEqual(EVENTS);
  });

  it('gives the same wherever the stream is cut', () => {
    for (let size = 1; size < STREAM.length; size += 1) {
      const parser = createEventParser();
      const events = [];
      for (let at = 0; at < STREAM.length; at += size)
        events.push(...parser.push(STREAM.slice(at, at + size)));
      expect(events).toEqual(EVENTS);
    }
  });

  it('gives nothing before the blank line that ends an event', () => {
    const parser = createEventParser();
    expect(parser.push('data: half')).toEqual([]);
    expect(parser.push(' and half\n')).toEqual([]);
    expect(parser.push('\n')).toEqual([{ id: '', type: 'message', data: 'half and half' }]);
  });
});
