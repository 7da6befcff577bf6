import type { InputIssue } from '@pawl/ipc';
import type { TaskContext } from './run-context.ts';

/** Does the work of a task: gets JSON, gives JSON. An iterator that it returns, as generators do, is streamed. */
export type TaskFunction = (input: never, context: TaskContext) => unknown;

/** A task that says what it takes. */
export interface TaskDefinition {
  readonly run: TaskFunction;
  /** Checks an input before the run begins, and for `validate`. */
  readonly input: InputSchema | InputCheck;
}

/** A task: a function, or one with a check of its input. */
export type Task = TaskFunction | TaskDefinition;

/** Gives what is wrong with an input; nothing, or an empty list, when it suits. */
export type InputCheck = (
  input: unknown,
) => readonly InputIssue[] | undefined | Promise<readonly InputIssue[] | undefined>;

/**
 * A schema of any library that follows Standard Schema (https://standardschema.dev), as zod, valibot and arktype do.
 * The task gets what the schema made of the input.
 */
export interface InputSchema {
  readonly '~standard': {
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
  };
}

type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a check makes of an input: what to run with, or what is wrong. */
export type Checked = { readonly value: unknown } | { readonly issues: readonly InputIssue[] };

/** A task as the worker keeps it. */
export interface ServedTask {
  readonly name: string;
  readonly run: (input: unknown, context: TaskContext) => unknown;
  /** Absent when anything goes. */
  readonly check: ((input: unknown) => Checked | Promise<Checked>) | undefined;
}

/** Whether a value, such as a module's export, is meant as a task. */
export function isTask(value: unknown): value is Task {
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && 'run' in value && typeof value.run === 'function';
}

/** @throws TypeError naming the task, when it is none */
export function servedTask(name: string, task: unknown): ServedTask {
  if (!isTask(task)) {
    throw new TypeError(`Task \`${name}\` must be a function, or an object with a function \`run\`.`);
  }
  if (typeof task === 'function') return { name, run: task as ServedTask['run'], check: undefined };
  return { name, run: task.run.bind(task) as ServedTask['run'], check: checkOf(name, task.input) };
}

function checkOf(name: string, input: unknown): ServedTask['check'] {
  if (input === undefined) return undefined;
  if (typeof input === 'function' && !('~standard' in input)) {
    const check = input as InputCheck;
    return (value) => {
      const issues = check(value);
      return issues instanceof Promise
        ? issues.then((found) => checked(value, found))
        : checked(value, issues);
    };
  }
  const { '~standard': standard } = (input ?? {}) as Partial<InputSchema>;
  if (typeof standard?.validate !== 'function') {
    throw new TypeError(`The \`input\` of task \`${name}\` must be a Standard Schema or a function.`);
  }
  return (value) => {
    const result = standard.validate(value);
    return result instanceof Promise ? result.then(fromSchema) : fromSchema(result);
  };
}

function checked(value: unknown, issues: readonly InputIssue[] | undefined): Checked {
  return issues === undefined || issues.length === 0 ? { value } : { issues };
}

function fromSchema(result: SchemaResult): Checked {
  if (result.issues === undefined) return { value: result.value };
  return { issues: result.issues.map(({ path = [], message }) => ({ path: pathText(path), message })) };
}

function pathText(path: NonNullable<SchemaIssue['path']>): string {
  let text = '';
  for (const step of path) {
    const key = typeof step === 'object' ? step.key : step;
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}
