import tasks from './tasks.cjs';

export const { echo } = tasks;
