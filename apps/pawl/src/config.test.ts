import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Environment, parseConfig, readConfig } from './config.ts';

const DEFAULT_DATA_DIR = join(homedir(), '.local/share/pawl');
const DEFAULTS = {
  host: '127.0.0.1',
  port: 3001,
  dataDir: DEFAULT_DATA_DIR,
  store: 'sqlite',
  tokensFile: join(DEFAULT_DATA_DIR, 'tokens.json'),
  publicAccess: 'nothing',
  corsOrigins: [],
  rateLimitPerMinute: 30,
  maxConcurrentRuns: 10,
  maxQueuedRuns: 100_000,
  runMode: 'async',
  retentionDays: 30,
  shutdownGraceMs: 20_000,
  minSandboxTier: 2,
  allowUnsandboxed: false,
  logLevel: 'info',
};
const RATE_RULE = 'an integer from 1 to 1000000, or off';
const ORIGINS_RULE = 'origins such as `https://school.example`, separated by commas';
const PORT_RULE = 'an integer from 0 to 65535';

/** A data folder with the given files. */
function dataDir(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

function problemsOf(environment: Environment): string {
  try {
    readConfig(environment);
  } catch (error) {
    return (error as Error).message.replace("The configuration can't be used:\n", '');
  }
  return '';
}

describe('parseConfig', () => {
  it('has a default for everything', () => {
    expect(parseConfig({})).toEqual(DEFAULTS);
  });

  it('counts an empty value as absent', () => {
    const empty = { PAWL_PORT: '', PORT: '', PAWL_HOST: '', PAWL_LOG_LEVEL: '', PAWL_PYTHON: '' };
    expect(parseConfig({ ...empty, PAWL_MAX_CONCURRENT_RUNS: '', PAWL_OTHER: undefined })).toEqual(DEFAULTS);
  });

  it('reads every setting, and leaves the rest of the environment alone', () => {
    const folder = dataDir({ 'tokens.json': '{"tokens":[]}' });
    expect(
      parseConfig({
        PAWL_HOST: '::1',
        PAWL_PORT: '0',
        PAWL_DATA_DIR: folder,
        PAWL_STORE: 'memory',
        PAWL_TOKENS_FILE: join(folder, 'tokens.json'),
        PAWL_PUBLIC: 'execute',
        PAWL_CORS_ORIGINS: 'https://school.example, http://localhost:5173',
        PAWL_RATE_LIMIT_PER_MINUTE: '600',
        PAWL_MAX_CONCURRENT_RUNS: '1000',
        PAWL_MAX_QUEUED_RUNS: '1',
        PAWL_RUN_MODE: 'dry-run',
        PAWL_RETENTION_DAYS: '7',
        PAWL_SHUTDOWN_GRACE_MS: '0',
        PAWL_MODULES: '/srv/modules',
        PAWL_PYTHON: '/opt/python',
        PAWL_EXERCISES: '/srv/exercises',
        PAWL_MIN_SANDBOX_TIER: '1',
        PAWL_ALLOW_UNSANDBOXED: '1',
        PAWL_LOG_LEVEL: 'silent',
        PAWL_TEST_RUN: 'x',
        HOME: '/root',
      }),
    ).toEqual({
      host: '::1',
      port: 0,
      dataDir: folder,
      store: 'memory',
      tokensFile: join(folder, 'tokens.json'),
      publicAccess: 'execute',
      corsOrigins: ['https://school.example', 'http://localhost:5173'],
      rateLimitPerMinute: 600,
      maxConcurrentRuns: 1_000,
      maxQueuedRuns: 1,
      runMode: 'dry-run',
      retentionDays: 7,
      shutdownGraceMs: 0,
      modules: '/srv/modules',
      python: '/opt/python',
      exercises: '/srv/exercises',
      minSandboxTier: 1,
      allowUnsandboxed: true,
      logLevel: 'silent',
    });
  });

  it('takes PORT where PAWL_PORT is not set', () => {
    expect(parseConfig({ PORT: '8080' }).port).toBe(8_080);
    expect(parseConfig({ PORT: '8080', PAWL_PORT: '' }).port).toBe(8_080);
    expect(parseConfig({ PORT: '8080', PAWL_PORT: '9090' }).port).toBe(9_090);
    expect(parseConfig({ PORT: 'nonsense', PAWL_PORT: '9090' }).port).toBe(9_090);
  });

  it('keeps its data where XDG_DATA_HOME says, if it does', () => {
    expect(parseConfig({ XDG_DATA_HOME: '/data' }).dataDir).toBe('/data/pawl');
    expect(parseConfig({ XDG_DATA_HOME: '/data', PAWL_DATA_DIR: '/srv/pawl' }).dataDir).toBe('/srv/pawl');
  });

  it('takes a rate limit that is off for none', () => {
    expect(parseConfig({ PAWL_RATE_LIMIT_PER_MINUTE: 'off' }).rateLimitPerMinute).toBe(Infinity);
  });

  it.each(['0.0.0.0', '::', '192.168.0.7'])(
    'takes the address %s with tokens or for programs alone, and with a sandbox alone',
    (host) => {
      const PAWL_DATA_DIR = dataDir();
      expect(problemsOf({ PAWL_HOST: host, PAWL_DATA_DIR })).toBe(
        `  Expected \`PAWL_HOST\` to be one of 127.0.0.1, localhost, ::1 where there are no tokens, got \`${host}\`. ` +
          'Make a token with `pawl token create --name me --role admin`, or let everybody run programs in the sandbox, ' +
          'and nothing else, with PAWL_PUBLIC=execute.',
      );
      expect(parseConfig({ PAWL_HOST: host, PAWL_DATA_DIR, PAWL_PUBLIC: 'execute' }).host).toBe(host);
      const withTokens = dataDir({ 'tokens.json': '{"tokens":[]}' });
      expect(parseConfig({ PAWL_HOST: host, PAWL_DATA_DIR: withTokens }).host).toBe(host);
      expect(problemsOf({ PAWL_HOST: host, PAWL_DATA_DIR: withTokens, PAWL_ALLOW_UNSANDBOXED: '1' })).toBe(
        `  Expected \`PAWL_HOST\` to be one of 127.0.0.1, localhost, ::1 where \`PAWL_ALLOW_UNSANDBOXED\` is 1, got \`${host}\`.`,
      );
    },
  );

  it('refuses a file of tokens that is not there, where one is asked for', () => {
    expect(problemsOf({ PAWL_TOKENS_FILE: '/there/is/none.json' })).toBe(
      '  Expected `PAWL_TOKENS_FILE` to be a file, got `/there/is/none.json`. Make it with ' +
        '`pawl token create --name me --role admin`.',
    );
  });

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
    ['PAWL_STORE', 'postgres', 'one of sqlite, memory'],
    ['PAWL_PUBLIC', 'all', 'one of nothing, execute'],
    ['PAWL_RUN_MODE', 'fast', 'one of async, threaded, local, dry-run'],
    ['PAWL_RETENTION_DAYS', '0', 'an integer from 1 to 3650'],
    ['PAWL_SHUTDOWN_GRACE_MS', '20s', 'an integer from 0 to 3600000'],
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
    ['PAWL_MAX_QUEUED_RUNS', '0', 'an integer from 1 to 10000000'],
  ])('refuses %s=%s, naming the setting, the rule and the value', (name, value, rule) => {
    expect(() => parseConfig({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `The configuration can't be used:\n  Expected \`${name}\` to be ${rule}, got \`${value}\`.`,
      }),
    );
  });

  it('names every wrong setting at once', () => {
    expect(() => parseConfig({ PORT: 'x', PAWL_HOST: 'y', PAWL_LOG_LEVEL: 'z' })).toThrow(
      /`PAWL_HOST`[^]*`y`\.\n {2}Expected `PORT`[^]*`x`\.\n {2}Expected `PAWL_LOG_LEVEL`[^]*`z`\.$/,
    );
  });
});

describe('readConfig', () => {
  it('reads the file in the data folder, which the environment overrules', () => {
    const folder = dataDir({
      'config.json': '{"PAWL_PORT": 8080, "PAWL_LOG_LEVEL": "warn", "PAWL_ALLOW_UNSANDBOXED": true}',
    });
    expect(readConfig({ PAWL_DATA_DIR: folder, PAWL_PORT: '9090' })).toMatchObject({
      port: 9_090,
      logLevel: 'warn',
      allowUnsandboxed: true,
      dataDir: folder,
    });
  });

  it('reads the file that PAWL_CONFIG names, in place of the other', () => {
    const folder = dataDir({ 'config.json': '{"PAWL_PORT": 1}', 'other.json': '{"PORT": "2"}' });
    const PAWL_CONFIG = join(folder, 'other.json');
    expect(readConfig({ PAWL_DATA_DIR: folder, PAWL_CONFIG }).port).toBe(2);
    // Where the data is may be in it, too.
    writeFileSync(PAWL_CONFIG, JSON.stringify({ PAWL_DATA_DIR: '/srv/pawl' }));
    expect(readConfig({ PAWL_CONFIG }).dataDir).toBe('/srv/pawl');
  });

  it('says what is wrong with a file', () => {
    const folder = dataDir();
    const file = join(folder, 'config.json');
    const problemsWith = (content: string): string => {
      writeFileSync(file, content);
      return problemsOf({ PAWL_DATA_DIR: folder });
    };
    expect(problemsWith('{"PAWL_PORT":')).toMatch(`  Expected the settings in ${file} to be a JSON object: `);
    expect(problemsWith('[]')).toBe(`  Expected the settings in ${file} to be a JSON object.`);
    expect(problemsWith('{"PAWL_PROT": 1, "PAWL_PORT": [1]}')).toBe(
      `  \`PAWL_PROT\` in ${file} is not a setting.\n` +
        `  Expected \`PAWL_PORT\` in ${file} to be a text, a number or a boolean, got \`[1]\`.`,
    );
    expect(problemsWith('{"PAWL_PORT": 70000}')).toBe(
      `  Expected \`PAWL_PORT\` to be ${PORT_RULE}, got \`70000\`.`,
    );
    expect(problemsOf({ PAWL_CONFIG: join(folder, 'none.json') })).toMatch(
      'none.json to be a JSON object: ENOENT',
    );
  });
});
