import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const DEFAULTS = {
  port: 3001,
  host: '127.0.0.1',
  logLevel: 'info',
  maxConcurrentRuns: 10,
  minSandboxTier: 2,
  allowUnsandboxed: false,
  rateLimitPerMinute: 30,
  corsOrigins: [],
};
const RATE_RULE = 'an integer from 1 to 1000000, or off';
const ORIGINS_RULE = 'origins such as `https://school.example`, separated by commas';
const PORT_RULE = 'an integer from 0 to 65535';

describe('readConfig', () => {
  it('has a default for everything', () => {
    expect(readConfig({})).toEqual(DEFAULTS);
  });

  it('counts an empty value as absent', () => {
    const empty = { PAWL_PORT: '', PORT: '', PAWL_HOST: '', PAWL_LOG_LEVEL: '', PAWL_PYTHON: '' };
    expect(readConfig({ ...empty, PAWL_MAX_CONCURRENT_RUNS: '', PAWL_OTHER: undefined })).toEqual(DEFAULTS);
  });

  it('reads every setting, and leaves the rest of the environment alone', () => {
    expect(
      readConfig({
        PAWL_PORT: '0',
        PAWL_HOST: '::1',
        PAWL_LOG_LEVEL: 'silent',
        PAWL_PYTHON: '/opt/python',
        PAWL_MAX_CONCURRENT_RUNS: '1000',
        PAWL_MIN_SANDBOX_TIER: '1',
        PAWL_ALLOW_UNSANDBOXED: '1',
        PAWL_RATE_LIMIT_PER_MINUTE: '600',
        PAWL_CORS_ORIGINS: 'https://school.example, http://localhost:5173',
        PAWL_EXERCISES: '/srv/exercises',
        PAWL_TEST_RUN: 'x',
        HOME: '/root',
      }),
    ).toEqual({
      port: 0,
      host: '::1',
      logLevel: 'silent',
      python: '/opt/python',
      maxConcurrentRuns: 1_000,
      minSandboxTier: 1,
      allowUnsandboxed: true,
      rateLimitPerMinute: 600,
      corsOrigins: ['https://school.example', 'http://localhost:5173'],
      exercises: '/srv/exercises',
    });
  });

  it('takes PORT where PAWL_PORT is not set', () => {
    expect(readConfig({ PORT: '8080' }).port).toBe(8_080);
    expect(readConfig({ PORT: '8080', PAWL_PORT: '' }).port).toBe(8_080);
    expect(readConfig({ PORT: '8080', PAWL_PORT: '9090' }).port).toBe(9_090);
    expect(readConfig({ PORT: 'nonsense', PAWL_PORT: '9090' }).port).toBe(9_090);
  });

  it('takes a rate limit that is off for none', () => {
    expect(readConfig({ PAWL_RATE_LIMIT_PER_MINUTE: 'off' }).rateLimitPerMinute).toBe(Infinity);
  });

  it.each(['0.0.0.0', '::', '192.168.0.7'])(
    'takes the address %s at its word, with a sandbox alone',
    (host) => {
      expect(readConfig({ PAWL_HOST: host }).host).toBe(host);
      expect(() => readConfig({ PAWL_HOST: host, PAWL_ALLOW_UNSANDBOXED: '1' })).toThrow(
        `Expected \`PAWL_HOST\` to be one of 127.0.0.1, localhost, ::1 where \`PAWL_ALLOW_UNSANDBOXED\` is 1, got \`${host}\`.`,
      );
    },
  );

  it.each([
    ['PAWL_PORT', 'http', PORT_RULE],
    ['PAWL_PORT', '65536', PORT_RULE],
    ['PAWL_PORT', '-1', PORT_RULE],
    ['PAWL_PORT', '80.5', PORT_RULE],
    ['PAWL_PORT', ' ', PORT_RULE],
    ['PAWL_PORT', '0x50', PORT_RULE],
    ['PAWL_PORT', '1e3', PORT_RULE],
    ['PAWL_PORT', '9'.repeat(400), PORT_RULE],
    ['PORT', '/run/pipe', PORT_RULE],
    ['PAWL_HOST', 'pawl.example', 'localhost or an IP address'],
    ['PAWL_MIN_SANDBOX_TIER', '0', 'one of 1, 2'],
    ['PAWL_ALLOW_UNSANDBOXED', 'yes', 'one of 0, 1'],
    ['PAWL_RATE_LIMIT_PER_MINUTE', '0', RATE_RULE],
    ['PAWL_RATE_LIMIT_PER_MINUTE', 'never', RATE_RULE],
    ['PAWL_CORS_ORIGINS', '*', ORIGINS_RULE],
    ['PAWL_CORS_ORIGINS', 'https://school.example/', ORIGINS_RULE],
    ['PAWL_CORS_ORIGINS', 'https://school.example,null', ORIGINS_RULE],
    ['PAWL_LOG_LEVEL', 'verbose', 'one of debug, info, warn, error, silent'],
    ['PAWL_MAX_CONCURRENT_RUNS', '0', 'an integer from 1 to 1000'],
    ['PAWL_MAX_CONCURRENT_RUNS', '1001', 'an integer from 1 to 1000'],
  ])('refuses %s=%s, naming the setting, the rule and the value', (name, value, rule) => {
    expect(() => readConfig({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `The configuration can't be used:\n  Expected \`${name}\` to be ${rule}, got \`${value}\`.`,
      }),
    );
  });

  it('names every wrong setting at once', () => {
    expect(() => readConfig({ PORT: 'x', PAWL_HOST: 'y', PAWL_LOG_LEVEL: 'z' })).toThrow(
      /`PORT`[^]*`x`\.\n {2}Expected `PAWL_HOST`[^]*`y`\.\n {2}Expected `PAWL_LOG_LEVEL`[^]*`z`\.$/,
    );
  });
});
