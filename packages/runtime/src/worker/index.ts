export { serve, type WorkerDefinition } from './serve.ts';
export type { TaskContext, TaskProgress } from './run-context.ts';
export type { InputCheck, InputSchema, Task, TaskDefinition, TaskFunction } from './task.ts';
export type { InputIssue } from '@pawl/ipc';
