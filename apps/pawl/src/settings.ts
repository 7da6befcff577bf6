import { isIP } from 'node:net';
import { z } from 'zod';

// Every setting, once: its name, rule, default and description. `pawl serve --help` and the table of the README are
// made of it.

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
/** The addresses that only this machine reaches. */
export const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', 'localhost', '::1'];
const SWITCH = ['0', '1'] as const;
const MAX_RATE = 1_000_000;
const RATE_RULE = `an integer from 1 to ${MAX_RATE}, or off`;
const ORIGINS_RULE = 'origins such as `https://school.example`, separated by commas';

function integer(min: number, max: number, fallback: number) {
  const rule = `an integer from ${min} to ${max}`;
  // Digits alone: `Number()` would take ' ' for 0 and '0x10' for 16.
  const digits = z.string().regex(/^\d+$/, rule).transform(Number);
  return digits.pipe(z.number(rule).min(min, rule).max(max, rule)).default(fallback);
}

function oneOf<const Values extends readonly [string, ...string[]]>(
  values: Values,
  fallback: Values[number],
) {
  return z.enum(values, { error: `one of ${values.join(', ')}` }).default(fallback as never);
}

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

const host = z
  .string()
  .refine((name) => LOOPBACK_HOSTS.includes(name) || isIP(name) !== 0, 'localhost or an IP address')
  .default('127.0.0.1');

export const settingsSchema = z.object({
  PAWL_HOST: host.describe(
    'The address to listen at. Any but a loopback one needs tokens, or `PAWL_PUBLIC=execute`.',
  ),
  PAWL_PORT: integer(0, 65_535, 3001).describe('The port; 0 takes any free one. `PORT` is read too.'),
  PAWL_DATA_DIR: z
    .string()
    .optional()
    .describe('The folder of the store, the logs and `config.json`; made if it is missing.')
    .meta({ shownDefault: '~/.local/share/pawl, or pawl in $XDG_DATA_HOME' }),
  PAWL_STORE: oneOf(['sqlite', 'memory'], 'sqlite').describe(
    'Where runs and schedules are kept. What is in memory is gone with the service.',
  ),
  PAWL_TOKENS_FILE: z
    .string()
    .optional()
    .describe('The API tokens; `pawl token create` adds one. Without the file every local client may do all.')
    .meta({ shownDefault: 'tokens.json in the data folder, if it is there' }),
  PAWL_PUBLIC: oneOf(['nothing', 'execute'], 'nothing').describe(
    'What clients without a token may do where others than this machine reach the service, or tokens are in use.',
  ),
  PAWL_CORS_ORIGINS: origins
    .describe(
      'Web pages that may use the service, besides those of this machine: origins, separated by commas.',
    )
    .meta({ shownDefault: 'none' }),
  PAWL_RATE_LIMIT_PER_MINUTE: rate.describe(
    'Programs that one client may run by `/execute` in a minute; or `off`.',
  ),
  PAWL_MAX_CONCURRENT_RUNS: integer(1, 1_000, 10).describe(
    'Runs, and programs, at the same time; more wait. Of programs at most two for each processor.',
  ),
  PAWL_MAX_QUEUED_RUNS: integer(1, 10_000_000, 100_000).describe(
    'Runs that may wait, delayed ones included; one more is refused with 503.',
  ),
  PAWL_RUN_MODE: oneOf(['async', 'threaded', 'local', 'dry-run'], 'async').describe(
    'How scripts run: as a process, JavaScript in a thread, JavaScript in the service itself (for tests), or not at all.',
  ),
  PAWL_RETENTION_DAYS: integer(1, 3_650, 30).describe(
    'How long runs that have ended are kept, with their logs.',
  ),
  PAWL_SHUTDOWN_GRACE_MS: integer(0, 3_600_000, 20_000).describe(
    'How long runs may go on when the service ends. What is cut then runs again after the next start.',
  ),
  PAWL_MODULES: z
    .string()
    .optional()
    .describe('Modules: a JSON file, or a folder of them.')
    .meta({ shownDefault: 'none' }),
  PAWL_PYTHON: z
    .string()
    .optional()
    .describe('The Python of programs and `.py` scripts: a name or path.')
    .meta({ shownDefault: 'the first that works' }),
  PAWL_EXERCISES: z
    .string()
    .optional()
    .describe('A folder of exercises.')
    .meta({ shownDefault: 'three samples' }),
  PAWL_MIN_SANDBOX_TIER: oneOf(['1', '2'], '2').describe(
    'The weakest sandbox that may be used: `1` is bubblewrap, `2` landlock too.',
  ),
  PAWL_ALLOW_UNSANDBOXED: oneOf(SWITCH, '0').describe(
    '`1` runs programs without a sandbox where none works. They can then do all that this service can.',
  ),
  PAWL_LOG_LEVEL: oneOf(LOG_LEVELS, 'info').describe(
    `How much is logged, on stderr: ${LOG_LEVELS.join(', ')}.`,
  ),
});

/** The names of all settings. */
export const SETTINGS: readonly string[] = Object.keys(settingsSchema.shape);

/** A setting, for those who read about it. */
export interface SettingDescription {
  readonly name: string;
  readonly description: string;
  /** As one would write it. */
  readonly default: string;
}

export function describeSettings(): readonly SettingDescription[] {
  return Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const { description = '', shownDefault } = schema.meta() ?? {};
    // All defaults that are not told in words are one word themselves.
    const fallback = typeof shownDefault === 'string' ? shownDefault : String(schema.parse(undefined));
    return { name, description, default: fallback };
  });
}

/** Whether only this machine can reach a service that listens there. */
export function isLoopback(address: string): boolean {
  return LOOPBACK_HOSTS.includes(address);
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
