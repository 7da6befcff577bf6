import { type AdvisorApi, createAdvisorApi } from './advisor.ts';
import type { Http } from './http.ts';
import { createModulesApi, type ModulesApi } from './modules.ts';
import { createPoolsApi, type PoolsApi } from './pools.ts';
import { createPythonApi, type PythonApi } from './python.ts';
import { createRunsApi, type RunsApi } from './runs.ts';
import { createSchedulesApi, type SchedulesApi } from './schedules.ts';
import { createSystemApi, type SystemApi } from './system.ts';

/** All that the service can be asked. */
export interface Api {
  readonly runs: RunsApi;
  readonly schedules: SchedulesApi;
  readonly modules: ModulesApi;
  readonly pools: PoolsApi;
  readonly advisor: AdvisorApi;
  readonly python: PythonApi;
  readonly system: SystemApi;
}

export function createApi(http: Http): Api {
  return {
    runs: createRunsApi(http),
    schedules: createSchedulesApi(http),
    modules: createModulesApi(http),
    pools: createPoolsApi(http),
    advisor: createAdvisorApi(http),
    python: createPythonApi(http),
    system: createSystemApi(http),
  };
}
