import { expect, it } from 'vitest';
import { draftOfRequest, EMPTY_DRAFT, mergeRequest, requestOfDraft } from './run-draft.ts';

it('makes a request of what was typed', () => {
  expect(
    requestOfDraft({ ...EMPTY_DRAFT, command: `echo 'two words'`, key: 'k', timeoutSeconds: '1.5' }),
  ).toEqual({ command: { file: 'echo', args: ['two words'] }, key: 'k', timeoutMs: 1_500 });
});

it.each([
  { script: { path: '/srv/a.py', args: ['--month', '5 6'], cwd: '/srv' } },
  { python: { code: 'print(1)' }, maxAttempts: 3 },
  { module: { id: 'report', parameters: { month: 5 } } },
])('gives the same request after a way through the form: %j', (request) => {
  expect(requestOfDraft(draftOfRequest(request))).toEqual(request);
});

it('keeps what the form does not show', () => {
  const before = { command: { file: 'a', args: [], env: { TZ: 'UTC' } }, priority: 4 };
  const draft = { ...draftOfRequest(before), command: 'b' };
  expect(mergeRequest(before, draft)).toEqual({
    command: { file: 'b', args: [], env: { TZ: 'UTC' } },
    priority: 4,
  });
});
