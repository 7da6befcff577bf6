import { describe, expect, it } from 'vitest';
import { sampleRun } from '../../test/run-sample.ts';
import { applyRuns, filterOf, NO_FILTER, queryOf, requestOf } from './run-filter.ts';

describe('the filter in the address', () => {
  it('is the same after a way through it', () => {
    const query = '?state=failed,lost&task=module:report&key=a+b&schedule=nightly&since=1h';
    const filter = filterOf(new URLSearchParams(query));
    expect(filter).toEqual({
      ...NO_FILTER,
      states: ['failed', 'lost'],
      task: 'module:report',
      key: 'a b',
      schedule: 'nightly',
      since: '1h',
    });
    expect(filterOf(new URLSearchParams(queryOf(filter)))).toEqual(filter);
  });

  it('leaves out what means nothing', () => {
    expect(filterOf(new URLSearchParams('state=odd&since=2y&createdFrom=soon&other=1'))).toEqual(NO_FILTER);
    expect(queryOf(NO_FILTER)).toBe('');
  });

  it('asks the service for an instant in place of a time that has passed', () => {
    const now = Date.parse('2026-03-08T08:00:00Z');
    expect(requestOf({ ...NO_FILTER, states: ['failed'], since: '1h' }, now)).toEqual({
      state: 'failed',
      createdFrom: '2026-03-08T07:00:00.000Z',
    });
  });
});

describe('applyRuns', () => {
  const a = sampleRun('a', { createdAt: '2026-03-08T07:00:00.000Z' });
  const b = sampleRun('b', { createdAt: '2026-03-08T07:00:05.000Z' });
  const running = { ...NO_FILTER, states: ['running'] as const };

  it('changes runs in their places, and puts new ones on top', () => {
    const changed = { ...a, attempt: 2 };
    expect(applyRuns([a], [b, changed], NO_FILTER, 10)).toEqual([b, changed]);
  });

  it('takes out a run that matches no more, and lets in one that does', () => {
    expect(applyRuns([b, a], [{ ...b, state: 'succeeded' }], running, 10)).toEqual([a]);
    expect(applyRuns([], [a, sampleRun('c', { state: 'queued' })], running, 10)).toEqual([a]);
    expect(applyRuns([], [a], { ...NO_FILTER, task: 'python' }, 10)).toEqual([]);
    const nightly = { ...b, schedule: 'nightly' };
    expect(applyRuns([], [a, nightly], { ...NO_FILTER, schedule: 'nightly' }, 10)).toEqual([nightly]);
    expect(applyRuns([], [a], { ...NO_FILTER, createdBefore: a.createdAt }, 10)).toEqual([]);
  });

  it('never takes back an end', () => {
    const ended = { ...a, state: 'succeeded' as const };
    expect(applyRuns([ended], [a], NO_FILTER, 10)).toEqual([ended]);
  });

  it('keeps to its limit, newest first', () => {
    expect(applyRuns([a], [b], NO_FILTER, 1)).toEqual([b]);
  });
});
