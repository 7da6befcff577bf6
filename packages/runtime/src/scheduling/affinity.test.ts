import { expect, it } from 'vitest';
import { createAffinity } from './affinity.ts';

it('remembers a place for each key, forgets the one used longest ago, and all of a place that is gone', () => {
  const affinity = createAffinity<string>(2);
  affinity.bind('a', 'one');
  affinity.bind('b', 'two');
  expect(affinity.get('a')).toBe('one');
  affinity.bind('c', 'one');
  expect([affinity.get('a'), affinity.get('b'), affinity.get('c')]).toEqual(['one', undefined, 'one']);
  affinity.forget('one');
  expect([affinity.get('a'), affinity.get('c')]).toEqual([undefined, undefined]);
});
