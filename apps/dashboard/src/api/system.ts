import type { Http } from './http.ts';

/** The service and the machine it is on. */
export interface SystemView {
  readonly version: string;
  readonly startedAt: string;
  readonly pid: number;
  readonly host: string;
  readonly node: string;
  readonly platform: string;
  readonly store: {
    readonly kind: 'sqlite' | 'memory';
    readonly file: string | null;
    readonly bytes: number | null;
    /** Of the last check; `null` before the first. */
    readonly integrity: { readonly ok: boolean; readonly problems: readonly string[] } | null;
    readonly checkedAt: string | null;
  };
  readonly memory: {
    readonly totalBytes: number;
    readonly usedPercent: number;
    /** Resident memory of the service itself. */
    readonly serviceBytes: number;
    readonly serviceHeapBytes: number;
  };
  readonly cpu: {
    readonly cores: number;
    readonly usedPercent: number;
    readonly servicePercent: number;
    /** Over 1, 5 and 15 minutes. */
    readonly load: readonly number[];
  };
  readonly disk: {
    readonly path: string;
    readonly totalBytes: number | null;
    readonly freeBytes: number | null;
    readonly usedPercent: number | null;
  };
  /** How late the service came to its work in about the last minute. */
  readonly eventLoop: {
    readonly delayP50Ms: number;
    readonly delayP99Ms: number;
    readonly delayMaxMs: number;
  };
}

export interface Setting {
  readonly name: string;
  /** As in force; `null` when it is not set. */
  readonly value: string | null;
  readonly default: string;
  readonly description: string;
}

export interface SandboxCheck {
  readonly property: string;
  readonly contained: boolean;
  readonly detail: string;
}

export interface SandboxView {
  readonly available: boolean;
  readonly kind?: string;
  readonly tier?: number;
  readonly python?: string;
  readonly checks?: readonly SandboxCheck[];
  readonly rejected: readonly { readonly kind: string; readonly reason: string }[];
  readonly remedy?: string;
}

export interface MaintenanceJob {
  readonly job: string;
  readonly description: string;
  readonly everyMs: number;
  readonly running: boolean;
  readonly errors: number;
  readonly lastRunAt: string | null;
  readonly lastDurationMs: number | null;
  /** What it found, or removed. */
  readonly lastResult: unknown;
  /** `null` when the last run succeeded. */
  readonly lastError: string | null;
  readonly nextRunAt: string | null;
}

export interface HealthView {
  readonly status: 'healthy' | 'degraded';
  readonly version: string;
  readonly problems?: readonly string[];
}

export interface SystemApi {
  get(signal?: AbortSignal): Promise<SystemView>;
  settings(signal?: AbortSignal): Promise<readonly Setting[]>;
  sandbox(signal?: AbortSignal): Promise<SandboxView>;
  health(signal?: AbortSignal): Promise<HealthView>;
  maintenance(signal?: AbortSignal): Promise<readonly MaintenanceJob[]>;
  runMaintenance(job: string): Promise<MaintenanceJob>;
}

export function createSystemApi(http: Http): SystemApi {
  return {
    get: async (signal) => http.json('GET', '/v1/system', { signal }),
    async settings(signal) {
      return (await http.json<{ settings: readonly Setting[] }>('GET', '/v1/settings', { signal })).settings;
    },
    sandbox: async (signal) => http.json('GET', '/system/sandbox', { signal }),
    health: async (signal) => http.json('GET', '/health', { signal }),
    async maintenance(signal) {
      return (await http.json<{ jobs: readonly MaintenanceJob[] }>('GET', '/v1/maintenance', { signal }))
        .jobs;
    },
    runMaintenance: async (job) =>
      http.json('POST', `/v1/maintenance/${encodeURIComponent(job)}`, { body: {} }),
  };
}
