import { checkDurationMs, checkInteger, checkKnownKeys, checkNumber, checkString } from '@pawl/core';
import { expectedMessage, PawlError } from '@pawl/core';
import { priorities } from '@pawl/runtime';
import { payloadFingerprint } from './payload-fingerprint.ts';
import type { NewRun } from './run.ts';
import type { ResolvedTask } from './task-definition.ts';

/** A request to run a task. */
export interface RunSpec {
  readonly task: string;
  /** Any JSON. It is for parameters; data belongs into a file. @default null */
  readonly input?: unknown;
  /** Higher is sooner: low 1, normal 2, high 3, urgent 4, or any number. @default 2 */
  readonly priority?: number | undefined;
  /** Runs that share a key run at most `maxPerKey` at a time, others of the same tracker beside them. @default none */
  readonly key?: string | undefined;
  /**
   * Makes it safe to submit again: the same key with the same task and input is the same run, until that run is
   * removed. @default none
   */
  readonly idempotencyKey?: string | undefined;
  /** The id of the schedule whose slot it has: runs are listed by it. @default none */
  readonly schedule?: string | undefined;
  /** Not started before so many milliseconds have passed. @default 0 */
  readonly delayMs?: number | undefined;
  /** `timed-out` if it is not over by so many milliseconds from now, waiting and retries included. @default Infinity */
  readonly deadlineMs?: number | undefined;
  /** How long one attempt may take, in milliseconds. @default the task's */
  readonly timeoutMs?: number | undefined;
  /** Attempts that may fail or time out. @default the task's */
  readonly maxAttempts?: number | undefined;
  /** Attempts that may be lost with their host. @default the task's */
  readonly maxLosses?: number | undefined;
}

const KEYS: readonly (keyof RunSpec)[] = [
  'task',
  'input',
  'priority',
  'key',
  'idempotencyKey',
  'schedule',
  'delayMs',
  'deadlineMs',
  'timeoutMs',
  'maxAttempts',
  'maxLosses',
];

export type CheckedRunSpec = RunSpec & { readonly task: string };

/** @throws TypeError, RangeError */
export function checkRunSpec(spec: RunSpec): CheckedRunSpec {
  checkKnownKeys('start', spec, KEYS);
  checkString('task', spec.task);
  if (spec.key !== undefined) checkString('key', spec.key);
  if (spec.idempotencyKey !== undefined) checkString('idempotencyKey', spec.idempotencyKey);
  if (spec.schedule !== undefined) checkString('schedule', spec.schedule);
  return spec;
}

/**
 * What is stored of a spec.
 * @throws TypeError, RangeError; PawlError `INPUT_TOO_LARGE`
 */
export function toNewRun(
  spec: CheckedRunSpec,
  task: ResolvedTask,
  now: number,
  maxInputBytes: number,
): Omit<NewRun, 'id'> {
  const input = toJson('input', spec.input ?? null, maxInputBytes, 'INPUT_TOO_LARGE');
  const deadlineMs = checkDurationMs('deadlineMs', spec.deadlineMs ?? Infinity, { infinite: true });
  return {
    task: spec.task,
    input,
    priority: checkNumber('priority', spec.priority ?? priorities.normal),
    key: spec.key,
    idempotencyKey: spec.idempotencyKey,
    schedule: spec.schedule,
    fingerprint: payloadFingerprint(spec.task, input),
    createdAt: now,
    availableAt: now + checkDurationMs('delayMs', spec.delayMs ?? 0),
    deadlineAt: deadlineMs === Infinity ? undefined : now + deadlineMs,
    timeoutMs: checkDurationMs('timeoutMs', spec.timeoutMs ?? task.timeoutMs, { infinite: true }),
    maxAttempts: checkInteger('maxAttempts', spec.maxAttempts ?? task.maxAttempts, {
      min: 1,
      infinite: true,
    }),
    maxLosses: checkInteger('maxLosses', spec.maxLosses ?? task.maxLosses, { min: 1, infinite: true }),
  };
}

/**
 * A value as JSON keeps it: without functions and undefined fields, with dates as text.
 * @throws TypeError when JSON can't hold it, PawlError with `code` when its text is longer than `maxBytes`
 */
export function toJson(name: string, value: unknown, maxBytes: number, code: string): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new TypeError(expectedMessage(name, 'JSON', value), { cause: error });
  }
  // A function or undefined, which JSON has no word for.
  if (text === undefined) throw new TypeError(expectedMessage(name, 'JSON', value));
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > maxBytes) {
    throw new PawlError(`The ${name} has ${sizeBytes} bytes, ${maxBytes} are allowed.`, { code });
  }
  return JSON.parse(text) as unknown;
}
