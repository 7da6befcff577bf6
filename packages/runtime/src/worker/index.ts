export { serve, type Task, type TaskContext, type TaskProgress, type WorkerDefinition } from './serve.ts';
