import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasCode, PawlError } from '@pawl/core';
import type { RunMode } from '@pawl/tasks';
import { isLoopback, LOOPBACK_HOSTS, type LogLevel, SETTINGS, settingsSchema } from './settings.ts';

/** A setting has a value that can't be used. */
export class ConfigError extends PawlError {
  declare readonly code: 'CONFIG_INVALID';

  constructor(problems: readonly string[]) {
    super(`The configuration can't be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`, {
      code: 'CONFIG_INVALID',
    });
  }
}

/** Settings by name; an empty value counts as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Absolute. */
  readonly dataDir: string;
  readonly store: 'sqlite' | 'memory';
  /** Absolute; it need not exist unless it was asked for. */
  readonly tokensFile: string;
  /** What clients without a token may do where one is needed. */
  readonly publicAccess: 'nothing' | 'execute';
  readonly corsOrigins: readonly string[];
  /** `Infinity` is no limit. */
  readonly rateLimitPerMinute: number;
  readonly maxConcurrentRuns: number;
  readonly maxQueuedRuns: number;
  readonly runMode: RunMode;
  readonly retentionDays: number;
  readonly shutdownGraceMs: number;
  /** A file or folder; absent: there are no modules. */
  readonly modules?: string;
  /** Absent: the first that works, of `python3` and `/usr/bin/python3`. */
  readonly python?: string;
  /** Absent: the samples of `@pawl/python`. */
  readonly exercises?: string;
  readonly minSandboxTier: 1 | 2;
  readonly allowUnsandboxed: boolean;
  readonly logLevel: LogLevel;
}

/**
 * Reads the settings: from the environment, then from the file that `PAWL_CONFIG` names or `config.json` in the data
 * folder, then the defaults.
 * @throws ConfigError that names each setting, its value and the rule
 */
export function readConfig(environment: Environment): Config {
  const named = presentOf(environment)['PAWL_CONFIG'];
  const file = named ?? join(dataDirOf(environment), 'config.json');
  return parseConfig(environment, readConfigFile(resolve(file), named !== undefined));
}

/** As `readConfig`, with the settings of the file. @throws ConfigError */
export function parseConfig(environment: Environment, fromFile: Environment = {}): Config {
  const given = { ...fromFile, ...presentOf(environment) };
  const portName = given['PAWL_PORT'] === undefined && given['PORT'] !== undefined ? 'PORT' : 'PAWL_PORT';
  const result = settingsSchema.safeParse({ ...given, PAWL_PORT: given[portName] });
  if (!result.success) {
    throw new ConfigError(
      result.error.issues.map(({ path, message }) => {
        const name = path[0] === 'PAWL_PORT' ? portName : String(path[0]);
        return `Expected \`${name}\` to be ${message}, got \`${given[name]}\`.`;
      }),
    );
  }
  const { data } = result;
  const dataDir = dataDirOf(given);
  const config: Config = {
    host: data.PAWL_HOST,
    port: data.PAWL_PORT,
    dataDir,
    store: data.PAWL_STORE,
    tokensFile: resolve(data.PAWL_TOKENS_FILE ?? join(dataDir, 'tokens.json')),
    publicAccess: data.PAWL_PUBLIC,
    corsOrigins: data.PAWL_CORS_ORIGINS,
    rateLimitPerMinute: data.PAWL_RATE_LIMIT_PER_MINUTE,
    maxConcurrentRuns: data.PAWL_MAX_CONCURRENT_RUNS,
    maxQueuedRuns: data.PAWL_MAX_QUEUED_RUNS,
    runMode: data.PAWL_RUN_MODE,
    retentionDays: data.PAWL_RETENTION_DAYS,
    shutdownGraceMs: data.PAWL_SHUTDOWN_GRACE_MS,
    ...(data.PAWL_MODULES === undefined ? {} : { modules: resolve(data.PAWL_MODULES) }),
    ...(data.PAWL_PYTHON === undefined ? {} : { python: data.PAWL_PYTHON }),
    ...(data.PAWL_EXERCISES === undefined ? {} : { exercises: data.PAWL_EXERCISES }),
    minSandboxTier: data.PAWL_MIN_SANDBOX_TIER === '1' ? 1 : 2,
    allowUnsandboxed: data.PAWL_ALLOW_UNSANDBOXED === '1',
    logLevel: data.PAWL_LOG_LEVEL,
  };
  const problems = [...unsafeSettings(config), ...missingTokens(config, data.PAWL_TOKENS_FILE)];
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** What is fine by itself, and not where others reach the service. */
function unsafeSettings({ host, allowUnsandboxed, tokensFile, publicAccess }: Config): readonly string[] {
  if (isLoopback(host)) return [];
  const loopback = LOOPBACK_HOSTS.join(', ');
  if (allowUnsandboxed) {
    return [
      `Expected \`PAWL_HOST\` to be one of ${loopback} where \`PAWL_ALLOW_UNSANDBOXED\` is 1, got \`${host}\`.`,
    ];
  }
  if (publicAccess === 'execute' || existsSync(tokensFile)) return [];
  return [
    `Expected \`PAWL_HOST\` to be one of ${loopback} where there are no tokens, got \`${host}\`. Make a token with ` +
      '`pawl token create --name me --role admin`, or let everybody run programs in the sandbox, and nothing else, ' +
      'with PAWL_PUBLIC=execute.',
  ];
}

function missingTokens({ tokensFile }: Config, asked: string | undefined): readonly string[] {
  if (asked === undefined || existsSync(tokensFile)) return [];
  return [
    `Expected \`PAWL_TOKENS_FILE\` to be a file, got \`${asked}\`. Make it with ` +
      '`pawl token create --name me --role admin`.',
  ];
}

function presentOf(environment: Environment): Readonly<Record<string, string>> {
  const present = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(present) as Record<string, string>;
}

function dataDirOf(environment: Environment): string {
  const { PAWL_DATA_DIR, XDG_DATA_HOME } = presentOf(environment);
  return resolve(PAWL_DATA_DIR ?? join(XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'pawl'));
}

/** @throws ConfigError when it is no JSON object of settings, or missing although it was asked for */
function readConfigFile(file: string, isNeeded: boolean): Environment {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!isNeeded && hasCode(error, 'ENOENT')) return {};
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`Expected the settings in ${file} to be a JSON object: ${why}.`]);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ConfigError([`Expected the settings in ${file} to be a JSON object.`]);
  }
  const known = ['PORT', ...SETTINGS];
  const entries = Object.entries(content);
  const problems = entries.flatMap(([name, value]) => {
    if (!known.includes(name)) return [`\`${name}\` in ${file} is not a setting.`];
    if (['string', 'number', 'boolean'].includes(typeof value)) return [];
    return [
      `Expected \`${name}\` in ${file} to be a text, a number or a boolean, got \`${JSON.stringify(value)}\`.`,
    ];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      typeof value === 'boolean' ? String(Number(value)) : String(value),
    ]),
  );
}
