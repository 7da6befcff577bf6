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
/** Programs run without isolation, so nobody outside this machine may reach the service. */
const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '::1'] as const;

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

const schema = z.object({
  /** Where to listen; 0 takes any free port. `PORT` is read too. */
  PAWL_PORT: integer(0, 65_535, 3001),
  PAWL_HOST: oneOf(LOOPBACK_HOSTS, '127.0.0.1'),
  PAWL_LOG_LEVEL: oneOf(LOG_LEVELS, 'info'),
  /** The Python that runs submitted programs: a name or path. */
  PAWL_PYTHON: z.string().min(1, 'a program name or path').default('python3'),
  /** Programs that run at the same time; more wait. */
  PAWL_MAX_CONCURRENT_RUNS: integer(1, 1_000, 10),
});

export interface Config {
  readonly port: number;
  readonly host: (typeof LOOPBACK_HOSTS)[number];
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly python: string;
  readonly maxConcurrentRuns: number;
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
  return {
    port: data.PAWL_PORT,
    host: data.PAWL_HOST,
    logLevel: data.PAWL_LOG_LEVEL,
    python: data.PAWL_PYTHON,
    maxConcurrentRuns: data.PAWL_MAX_CONCURRENT_RUNS,
  };
}
