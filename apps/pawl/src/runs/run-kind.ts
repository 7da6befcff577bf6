import { type RunContext, type RunExecutor, UnknownTaskError } from '@pawl/tasks';
import type { Kind } from '../api/run-schemas.ts';

/** One kind of work: how its requests are checked, named and done. */
export interface RunKind<Request = never> {
  /**
   * Looks at a request before it is stored. What it gives as `input` is itself a request of this kind: a retry asks
   * for it again.
   * @throws HttpError 422 that names the field
   */
  prepare(request: Request): Promise<PreparedRun> | PreparedRun;
  /** What people recognise the run by. */
  title(input: Request): string;
  /** Does the work. Its output goes to the log `attemptLogId(context.runId, context.fence)`. */
  run(input: Request, context: RunContext): Promise<unknown>;
}

/** What is stored of a request. */
export interface PreparedRun {
  /** The kind, or `<kind>:<name>`. */
  readonly task: string;
  readonly input: unknown;
}

export type RunKinds = Readonly<Record<Kind, RunKind>>;

/** The kind of a stored run. */
export function kindOf(kinds: RunKinds, task: string): RunKind<unknown> | undefined {
  const [name = ''] = task.split(':', 1);
  // What a kind gets is what it prepared itself.
  return Object.hasOwn(kinds, name) ? kinds[name as Kind] : undefined;
}

/** Does the work of a run by its kind. */
export function executeByKind(kinds: RunKinds): RunExecutor {
  return (run, context) => {
    const kind = kindOf(kinds, run.task);
    if (kind === undefined) throw new UnknownTaskError(run.task, Object.keys(kinds));
    return kind.run(run.input, context);
  };
}
