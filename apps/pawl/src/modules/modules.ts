import type { ModuleConfigs } from './module-config.ts';
import type { ModuleRegistry } from './module-registry.ts';
import type { TaskTallies } from './task-tallies.ts';

/** All about modules that the routes use. */
export interface Modules {
  readonly registry: ModuleRegistry;
  readonly configs: ModuleConfigs;
  readonly tallies: TaskTallies;
}
