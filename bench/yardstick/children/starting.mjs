// A module that takes its time to start.
import hooks from './hooks.cjs';
import tasks from './tasks.cjs';

await hooks.boot();
export const { echo } = tasks;
export const { isBooted } = hooks;
