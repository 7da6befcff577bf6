/**
 * How a module is run: `async` as a process; `threaded` in a worker thread, where it is JavaScript and stays in the
 * working folder of this process, else as a process; `local` in this very process, one at a time, for tests; `dry-run`
 * not at all, the command is logged.
 */
export type RunMode = (typeof RUN_MODES)[number];

export const RUN_MODES = ['async', 'threaded', 'local', 'dry-run'] as const;
