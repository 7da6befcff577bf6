import { expect, it } from 'vitest';
import { attemptText } from './attempts.ts';

it.each([
  [0, 1, ''],
  [1, 1, ''],
  [2, 1, '2'],
  [0, 3, '0 of 3'],
  [3, 3, '3 of 3'],
])('tells attempt %s of %s', (attempt, maxAttempts, text) => {
  expect(attemptText({ attempt, maxAttempts })).toBe(text);
});
