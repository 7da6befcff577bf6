import type { RunOptions } from './run-options.ts';

/** What a pool's tasks are when nobody says: any name, any input, any result. */
export type AnyTasks = Readonly<Record<string, unknown>>;

/** Whether these are the tasks of a known module. */
type IsKnown<Tasks> = string extends keyof Tasks ? false : true;

type AnyFunction = (...parameters: never[]) => unknown;

/** The names of the tasks: what a module exports that can be called. */
export type TaskName<Tasks> =
  IsKnown<Tasks> extends true
    ? { [Name in keyof Tasks]: Tasks[Name] extends AnyFunction ? Name : never }[keyof Tasks] & string
    : string;

type Parameter<Task> = Task extends (input: infer Input, ...rest: never[]) => unknown ? Input : unknown;

/** What a task takes. */
export type InputOf<Tasks, Name extends string> =
  IsKnown<Tasks> extends true ? Parameter<Tasks[Name & keyof Tasks]> : unknown;

/** JSON has no `undefined`: a task that returns nothing gives `null`. */
type OverJson<Value> = Value extends undefined | void ? null : Value;

type Returned<Task> = Task extends (...parameters: never[]) => infer Result ? Awaited<Result> : unknown;

/** What a run of a task resolves with. */
export type ResultOf<Tasks, Name extends string> =
  IsKnown<Tasks> extends true
    ? Returned<Tasks[Name & keyof Tasks]> extends
        | AsyncGenerator<unknown, infer Result, never>
        | Generator<unknown, infer Result, never>
      ? OverJson<Awaited<Result>>
      : OverJson<Returned<Tasks[Name & keyof Tasks]>>
    : unknown;

/** What a streaming task yields; of one that calls `ctx.emit` nothing is known. */
export type ChunkOf<Tasks, Name extends string> =
  IsKnown<Tasks> extends true
    ? Returned<Tasks[Name & keyof Tasks]> extends AsyncIterable<infer Chunk> | Iterable<infer Chunk>
      ? Returned<Tasks[Name & keyof Tasks]> extends string
        ? unknown
        : Chunk
      : unknown
    : unknown;

/** The arguments behind the name: the input may be left out where the task can do without. */
export type RunArguments<Tasks, Name extends string, Options = RunOptions> =
  undefined extends InputOf<Tasks, Name>
    ? [input?: InputOf<Tasks, Name>, options?: Options]
    : [input: InputOf<Tasks, Name>, options?: Options];
