import { isIP } from 'node:net';
import { PawlError } from '@pawl/core';
import { z } from 'zod';

/** A setting has a value that can't be used. */
export class ConfigError extends PawlError {
  declare readonly code: 'CONFIG_INVALID';

  constructor(problems: readonly string[]) {
    super(`The configuration can't be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`, {
      code: 'CONFIG_INVALID',
    });
  }
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** The addresses that only this machine reaches. */
const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', 'localhost', '::1'];
const SWITCH = ['0', '1'] as const;
const MAX_RATE = 1_000_000;
const RATE_RULE = `an integer from 1 to ${MAX_RATE}, or off`;
const ORIGINS_RULE = 'origins such as `https://school.example`, separated by commas';

const integer = (min: number, max: number, fallback: number): z.ZodType<number> => {
  const rule = `an integer from ${min} to ${max}`;
  // Digits alone: `Number()` would take ' ' for 0 and '0x10' for 16.
  const digits = z.string().regex(/^\d+$/, rule).transform(Number);
  return digits.pipe(z.number(rule).min(min, rule).max(max, rule)).default(fallback);
};

const oneOf = <const Values extends readonly [string, ...string[]]>(
  values: Values,
  fallback: Values[number],
): z.ZodType<Values[number]> =>
  z.enum(values, { error: `one of ${values.join(', ')}` }).default(fallback as never);

const rate = z
  .string()
  .refine(
    (text) => text === 'off' || (/^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_RATE),
    RATE_RULE,
  )
  .transform((text) => (text === 'off' ? Infinity : Number(text)))
  .default(30);

/** Exactly what browsers send as `Origin`: no path, no slash at the end, and no `*`. */
const origins = z
  .string()
  .transform((list) => list.split(',').map((origin) => origin.trim()))
  .refine((list) => list.every(isOrigin), ORIGINS_RULE)
  .default([]);

const schema = z.object({
  /** Where to listen; 0 takes any free port. `PORT` is read too. */
  PAWL_PORT: integer(0, 65_535, 3001),
  /** An address of this machine. Any but a loopback one is the operator's word that others may reach the service. */
  PAWL_HOST: z
    .string()
    .refine((host) => LOOPBACK_HOSTS.includes(host) || isIP(host) !== 0, 'localhost or an IP address')
    .default('127.0.0.1'),
  PAWL_LOG_LEVEL: oneOf(LOG_LEVELS, 'info'),
  /** The Python that runs submitted programs: a name or path. */
  PAWL_PYTHON: z.string().optional(),
  /** Programs that run at the same time; more wait. */
  PAWL_MAX_CONCURRENT_RUNS: integer(1, 1_000, 10),
  /** The weakest sandbox that may be used: 1 is bubblewrap, 2 landlock too. */
  PAWL_MIN_SANDBOX_TIER: oneOf(['1', '2'], '2'),
  /** Whether programs run where no sandbox works. They can then do all that this service can. */
  PAWL_ALLOW_UNSANDBOXED: oneOf(SWITCH, '0'),
  /** Programs that one client may run in a minute. */
  PAWL_RATE_LIMIT_PER_MINUTE: rate,
  /** Web pages that may use the service, besides those of this machine. */
  PAWL_CORS_ORIGINS: origins,
  /** A folder of exercises. */
  PAWL_EXERCISES: z.string().optional(),
});

/** The names of all settings. */
export const SETTINGS: readonly string[] = Object.keys(schema.shape);

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Absent: the first that works, of `python3` and `/usr/bin/python3`. */
  readonly python?: string;
  readonly maxConcurrentRuns: number;
  readonly minSandboxTier: 1 | 2;
  readonly allowUnsandboxed: boolean;
  /** `Infinity` is no limit. */
  readonly rateLimitPerMinute: number;
  readonly corsOrigins: readonly string[];
  /** Absent: the samples of `@pawl/python`. */
  readonly exercises?: string;
}

/**
 * Reads the settings from an environment; an empty value counts as absent.
 * @throws ConfigError that names each setting, its value and the rule
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const portName = given['PAWL_PORT'] === undefined && given['PORT'] !== undefined ? 'PORT' : 'PAWL_PORT';
  const result = schema.safeParse({ ...given, PAWL_PORT: given[portName] });
  if (!result.success) {
    throw new ConfigError(
      result.error.issues.map(({ path, message }) => {
        const name = path[0] === 'PAWL_PORT' ? portName : String(path[0]);
        return `Expected \`${name}\` to be ${message}, got \`${given[name]}\`.`;
      }),
    );
  }
  const { data } = result;
  if (data.PAWL_ALLOW_UNSANDBOXED === '1' && !isLoopback(data.PAWL_HOST)) {
    throw new ConfigError([
      `Expected \`PAWL_HOST\` to be one of ${LOOPBACK_HOSTS.join(', ')} where \`PAWL_ALLOW_UNSANDBOXED\` is 1, ` +
        `got \`${data.PAWL_HOST}\`.`,
    ]);
  }
  return {
    port: data.PAWL_PORT,
    host: data.PAWL_HOST,
    logLevel: data.PAWL_LOG_LEVEL,
    ...(data.PAWL_PYTHON === undefined ? {} : { python: data.PAWL_PYTHON }),
    maxConcurrentRuns: data.PAWL_MAX_CONCURRENT_RUNS,
    minSandboxTier: data.PAWL_MIN_SANDBOX_TIER === '1' ? 1 : 2,
    allowUnsandboxed: data.PAWL_ALLOW_UNSANDBOXED === '1',
    rateLimitPerMinute: data.PAWL_RATE_LIMIT_PER_MINUTE,
    corsOrigins: data.PAWL_CORS_ORIGINS,
    ...(data.PAWL_EXERCISES === undefined ? {} : { exercises: data.PAWL_EXERCISES }),
  };
}

/** Whether only this machine can reach a service that listens there. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_HOSTS.includes(host);
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
