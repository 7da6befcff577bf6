import { expect, it } from 'vitest';
import { matchPath } from './router.ts';

it('finds the parts of a path, decoded', () => {
  expect(matchPath('/runs/:id', '/runs/a%20b')).toEqual({ id: 'a b' });
  expect(matchPath('/runs/:id', '/runs/%')).toEqual({ id: '%' });
  expect(matchPath('/runs', '/runs/')).toEqual({});
  expect(matchPath('/', '/')).toEqual({});
});

it('tells other paths', () => {
  expect(matchPath('/runs/:id', '/runs')).toBeUndefined();
  expect(matchPath('/runs/:id', '/runs/a/b')).toBeUndefined();
  expect(matchPath('/', '/runs')).toBeUndefined();
});
