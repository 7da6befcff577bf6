import type { ComponentType } from 'preact';
import { ModuleScreen } from '../screens/modules/module-screen.tsx';
import { ModulesScreen } from '../screens/modules/modules-screen.tsx';
import { NowScreen } from '../screens/now/now-screen.tsx';
import { PatternsScreen } from '../screens/patterns/patterns-screen.tsx';
import { PlaygroundScreen } from '../screens/playground/playground-screen.tsx';
import { RunScreen } from '../screens/run/run-screen.tsx';
import { RunsScreen } from '../screens/runs/runs-screen.tsx';
import { ScheduleScreen } from '../screens/schedules/schedule-screen.tsx';
import { SchedulesScreen } from '../screens/schedules/schedules-screen.tsx';
import { SystemScreen } from '../screens/system/system-screen.tsx';
import { WorkersScreen } from '../screens/workers/workers-screen.tsx';

export interface Page {
  /** Below `/ui`; `:name` stands for one part. */
  readonly pattern: string;
  readonly component: ComponentType<{ readonly id: string }>;
}

export const PAGES: readonly Page[] = [
  { pattern: '/', component: NowScreen },
  { pattern: '/runs', component: RunsScreen },
  { pattern: '/runs/:id', component: RunScreen },
  { pattern: '/schedules', component: SchedulesScreen },
  { pattern: '/schedules/:id', component: ScheduleScreen },
  { pattern: '/workers', component: WorkersScreen },
  { pattern: '/playground', component: PlaygroundScreen },
  { pattern: '/patterns', component: PatternsScreen },
  { pattern: '/system', component: SystemScreen },
  { pattern: '/modules', component: ModulesScreen },
  { pattern: '/modules/:id', component: ModuleScreen },
];

/** What the navigation shows; `key` is the one after `g`. */
export const SECTIONS = [
  { path: '/', name: 'Now', key: 'n' },
  { path: '/runs', name: 'Runs', key: 'r' },
  { path: '/schedules', name: 'Schedules', key: 's' },
  { path: '/modules', name: 'Modules', key: 'm' },
  { path: '/workers', name: 'Workers', key: 'w' },
  { path: '/playground', name: 'Playground', key: 'p' },
  { path: '/patterns', name: 'Patterns', key: 'a' },
  { path: '/system', name: 'System', key: 'y' },
] as const;
