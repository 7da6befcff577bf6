import { expect, it } from 'vitest';
import { distanceOf } from './name-search.ts';

it.each([
  ['Schedules', '', 0],
  ['Schedules', 'Sch', 0],
  ['New schedule', 'sch', 1],
  ['Runs', 'un', 2],
  ['New schedule', 'nsch', 3],
  ['Runs', 'sr', Infinity],
])('finds %s by %j at %s', (name, typed, distance) => {
  expect(distanceOf(name, typed)).toBe(distance);
});
