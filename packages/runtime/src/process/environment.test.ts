import { describe, expect, it, vi } from 'vitest';
import { childEnvironment } from './environment.ts';

describe('childEnvironment', () => {
  it('keeps what is not named, secrets first of all', () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hush');
    vi.stubEnv('NODE_OPTIONS', '--inspect');
    vi.stubEnv('PAWL_TOKENS_FILE', '/secret');
    const environment = childEnvironment();
    expect(Object.keys(environment)).not.toEqual(
      expect.arrayContaining(['AWS_SECRET_ACCESS_KEY', 'NODE_OPTIONS', 'PAWL_TOKENS_FILE']),
    );
    expect(Object.values(environment)).not.toContain('hush');
  });

  it('gives what programs need', () => {
    vi.stubEnv('LC_TIME', 'de_DE.UTF-8');
    vi.stubEnv('TZ', 'Europe/Berlin');
    expect(childEnvironment()).toMatchObject({
      PATH: process.env['PATH'],
      LC_TIME: 'de_DE.UTF-8',
      TZ: 'Europe/Berlin',
    });
  });

  it('gives what is named, if it is set', () => {
    vi.stubEnv('DATABASE_URL', 'here');
    expect(childEnvironment({}, ['DATABASE_URL', 'PAWL_NOT_SET'])).toMatchObject({ DATABASE_URL: 'here' });
    expect(childEnvironment({}, ['PAWL_NOT_SET'])).not.toHaveProperty('PAWL_NOT_SET');
  });

  it('lets what is added win', () => {
    vi.stubEnv('TZ', 'UTC');
    expect(childEnvironment({ TZ: 'Asia/Tokyo', MORE: '1' })).toMatchObject({ TZ: 'Asia/Tokyo', MORE: '1' });
  });

  it('adds the mark of the child to that of the host, and lets nothing else take its place', () => {
    vi.stubEnv('PAWL_PROCESS', 'outer/mine');
    expect(childEnvironment({ PAWL_PROCESS: 'false' }, [], 'child')).toMatchObject({
      PAWL_PROCESS: 'outer/mine/child',
    });
    vi.stubEnv('PAWL_PROCESS', undefined);
    expect(childEnvironment({}, [], 'child')).toMatchObject({ PAWL_PROCESS: 'child' });
    expect(childEnvironment()).not.toHaveProperty('PAWL_PROCESS');
  });
});
