import { expect, it } from 'vitest';
import { shortError } from './short-error.ts';

it.each([
  ['No such file.', 'No such file.'],
  ['First line.\nSecond line.', 'First line.'],
  [
    'The script /srv/a.py exited with code 1: Traceback (most recent call last): | File "/srv/a.py", line 3, in <module> | raise ValueError("a | b") | ValueError: no.',
    'The script /srv/a.py exited with code 1: ValueError: no.',
  ],
  ['Traceback (most recent call last):\n  File "x", line 1\nKeyError: 1\n', 'KeyError: 1'],
  ['Traceback (most recent call last):', 'Traceback (most recent call last):'],
])('shortens %j', (message, short) => {
  expect(shortError(message)).toBe(short);
});
