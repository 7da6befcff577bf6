import { expect, it } from 'vitest';
import { sampleRun } from '../../../test/run-sample.ts';
import { groupFailures } from './failure-groups.ts';
import { verdictOf } from './verdict.ts';

const now = Date.parse('2026-03-08T08:00:00Z');
const FINE = {
  connection: 'live',
  problems: [],
  failures: [],
  stuck: [],
  hasMore: { failures: false, stuck: false },
  schedules: [],
  now,
} as const;

it('says that all is well when nothing is wrong', () => {
  expect(verdictOf(FINE)).toEqual({ level: 'good', text: 'All is well.', reasons: [] });
});

it('names what is wrong, the worst first, and where to look', () => {
  const verdict = verdictOf({
    ...FINE,
    problems: ['No sandbox works here.'],
    failures: [sampleRun('a', { state: 'failed' }), sampleRun('b', { state: 'lost' })],
    stuck: [sampleRun('c', { state: 'queued', availableAt: '2026-03-08T07:50:00.000Z' })],
  });
  expect(verdict.level).toBe('bad');
  expect(verdict.reasons.map(({ text }) => text)).toEqual([
    'No sandbox works here.',
    '1 run was lost in the last hour.',
    '1 run failed in the last hour.',
    '1 run waits for more than a minute.',
  ]);
  expect(verdict.reasons[1]?.to).toBe('/runs?state=lost&since=1h');
});

it('does not count what it has not seen', () => {
  const failures = [sampleRun('a', { state: 'failed' })];
  const verdict = verdictOf({ ...FINE, failures, hasMore: { failures: true, stuck: false } });
  expect(verdict.reasons[0]?.text).toBe('1 or more runs failed in the last hour.');
});

it('takes a delay that was asked for as no waiting', () => {
  const stuck = [sampleRun('c', { state: 'queued', availableAt: '2026-03-08T09:00:00.000Z' })];
  expect(verdictOf({ ...FINE, stuck }).level).toBe('good');
});

it('groups failures whose errors differ in numbers, ids and paths alone', () => {
  const failed = (id: string, message: string) =>
    sampleRun(id, { state: 'failed', error: { name: 'E', message, code: 'EXIT', stack: null } });
  const groups = groupFailures([
    failed('a', 'Process 12 of /srv/a/b.py ended with code 3.\nMore'),
    failed('b', 'No such file.'),
    failed('c', 'Process 9 of /tmp/x/y.py ended with code 4.'),
  ]);
  expect(groups.map(({ text, runs }) => [text, runs.map(({ id }) => id)])).toEqual([
    ['Process 12 of /srv/a/b.py ended with code 3.', ['a', 'c']],
    ['No such file.', ['b']],
  ]);
});
