import type { Config } from '../config.ts';

/** The values of all settings as one would write them; null for what is not set. None of them is a secret. */
export function settingsInForce(config: Config): Readonly<Record<string, string | null>> {
  return {
    PAWL_HOST: config.host,
    PAWL_PORT: String(config.port),
    PAWL_DATA_DIR: config.dataDir,
    PAWL_STORE: config.store,
    PAWL_TOKENS_FILE: config.tokensFile,
    PAWL_PUBLIC: config.publicAccess,
    PAWL_CORS_ORIGINS: config.corsOrigins.length === 0 ? null : config.corsOrigins.join(','),
    PAWL_RATE_LIMIT_PER_MINUTE:
      config.rateLimitPerMinute === Infinity ? 'off' : String(config.rateLimitPerMinute),
    PAWL_MAX_CONCURRENT_RUNS: String(config.maxConcurrentRuns),
    PAWL_MAX_QUEUED_RUNS: String(config.maxQueuedRuns),
    PAWL_RUN_MODE: config.runMode,
    PAWL_RETENTION_DAYS: String(config.retentionDays),
    PAWL_SHUTDOWN_GRACE_MS: String(config.shutdownGraceMs),
    PAWL_MODULES: config.modules ?? null,
    PAWL_PYTHON: config.python ?? null,
    PAWL_EXERCISES: config.exercises ?? null,
    PAWL_MIN_SANDBOX_TIER: String(config.minSandboxTier),
    PAWL_ALLOW_UNSANDBOXED: config.allowUnsandboxed ? '1' : '0',
    PAWL_LOG_LEVEL: config.logLevel,
  };
}
