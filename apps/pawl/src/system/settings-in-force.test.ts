import { expect, it } from 'vitest';
import { parseConfig } from '../config.ts';
import { SETTINGS } from '../settings.ts';
import { settingsInForce } from './settings-in-force.ts';

it('has every setting, in a form that gives the same settings again', () => {
  const config = parseConfig({
    PAWL_PORT: '4000',
    PAWL_DATA_DIR: '/data',
    PAWL_RATE_LIMIT_PER_MINUTE: 'off',
    PAWL_MODULES: '/modules',
    PAWL_CORS_ORIGINS: 'https://a.example,https://b.example',
  });
  const values = settingsInForce(config);
  expect(Object.keys(values)).toEqual([...SETTINGS]);
  const { PAWL_TOKENS_FILE: _isThereOrNot, ...given } = values;
  const set = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
  expect(parseConfig(set)).toEqual(config);
});
