import type { Http } from './http.ts';
import type { RunSummary, RunView } from './runs.ts';

/** One parameter of a module, as its schema describes it. */
export interface ModuleParameter {
  readonly name: string;
  readonly label: string | null;
  readonly type: 'text' | 'number' | 'select' | 'checkbox' | 'password';
  readonly required: boolean;
  readonly default: string | number | boolean | null;
  readonly options: readonly string[] | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly pattern: string | null;
  /** What to say when the pattern does not match. */
  readonly message: string | null;
  readonly placeholder: string | null;
  readonly warning: string | null;
  /** Shown only while another parameter has this value. */
  readonly visibleWhen: { readonly field: string; readonly equals: string | number | boolean } | null;
}

export interface ModuleView {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly script: string;
  readonly parameters: readonly ModuleParameter[];
  readonly runs: number;
  /** Of those that ended, from 0 to 1. */
  readonly successRate: number | null;
  readonly lastRun: Pick<RunSummary, 'id' | 'state' | 'createdAt'> | null;
}

export type ParameterValues = Readonly<Record<string, string | number | boolean>>;

export interface ModuleConfig {
  /** The defaults, and over them what was saved. */
  readonly parameters: ParameterValues;
  /** `null` when nothing is saved. */
  readonly updatedAt: string | null;
}

export interface ModulePage {
  readonly modules: readonly ModuleView[];
  /** Why definitions are left out. */
  readonly faults: readonly { readonly file: string; readonly message: string }[];
}

export interface ModulesApi {
  list(signal?: AbortSignal): Promise<ModulePage>;
  get(id: string, signal?: AbortSignal): Promise<ModuleView>;
  config(id: string, signal?: AbortSignal): Promise<ModuleConfig>;
  saveConfig(id: string, parameters: ParameterValues): Promise<void>;
  deleteConfig(id: string): Promise<void>;
  run(id: string, parameters: ParameterValues): Promise<RunView>;
}

const pathOf = (id: string): string => `/v1/modules/${encodeURIComponent(id)}`;

export function createModulesApi(http: Http): ModulesApi {
  return {
    list: async (signal) => http.json('GET', '/v1/modules', { signal }),
    get: async (id, signal) => http.json('GET', pathOf(id), { signal }),
    config: async (id, signal) => http.json('GET', `${pathOf(id)}/config`, { signal }),
    saveConfig: async (id, parameters) => http.json('PUT', `${pathOf(id)}/config`, { body: { parameters } }),
    deleteConfig: async (id) => http.json('DELETE', `${pathOf(id)}/config`),
    run: async (id, parameters) => http.json('POST', `${pathOf(id)}/runs`, { body: { parameters } }),
  };
}
