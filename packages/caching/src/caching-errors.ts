import { PawlError } from '@pawl/core';

/** A load ran longer than `hardTimeoutMs`. Its signal was aborted; what it still brings is dropped. */
export class CacheLoadTimeoutError extends PawlError {
  declare readonly code: 'CACHE_LOAD_TIMEOUT';
  readonly key: string;
  /** The limit it passed, in milliseconds. */
  readonly timeoutMs: number;

  constructor(key: string, timeoutMs: number) {
    super(`The load of ${JSON.stringify(key)} did not end within ${timeoutMs} ms.`, {
      code: 'CACHE_LOAD_TIMEOUT',
    });
    this.key = key;
    this.timeoutMs = timeoutMs;
  }
}

/** An `isolate` cache was given a value that `structuredClone` can't copy, such as one with a function inside. */
export class ValueNotCloneableError extends PawlError {
  declare readonly code: 'CACHE_VALUE_NOT_CLONEABLE';
  readonly key: string;

  constructor(key: string, cause: unknown) {
    super(`The value of ${JSON.stringify(key)} can't be copied, and this cache isolates its values.`, {
      code: 'CACHE_VALUE_NOT_CLONEABLE',
      cause,
    });
    this.key = key;
  }
}

/** A value holds something that can't be part of a key: a cycle, function, symbol, promise or class instance. */
export class KeyUnsupportedError extends PawlError {
  declare readonly code: 'CACHE_KEY_UNSUPPORTED';
  /** Where it sits in the value, from the root `input`: `input.items[3].fn`. */
  readonly path: string;
  /** What sits there: `a function`, `a cycle`, `an instance of User`. */
  readonly found: string;

  constructor(path: string, found: string) {
    super(`${path} is ${found}, which can't be part of a cache key.`, { code: 'CACHE_KEY_UNSUPPORTED' });
    this.path = path;
    this.found = found;
  }
}

/** A file that is part of a task's key could not be read. */
export class TaskFileError extends PawlError {
  declare readonly code: 'TASK_FILE_UNREADABLE';
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`The task's file ${JSON.stringify(path)} can't be read.`, { code: 'TASK_FILE_UNREADABLE', cause });
    this.path = path;
  }
}

/** `explain` or `why` was asked about a key whose manifest this task cache does not remember (any more). */
export class TaskKeyUnknownError extends PawlError {
  declare readonly code: 'TASK_KEY_UNKNOWN';
  readonly key: string;

  constructor(key: string) {
    super(`No manifest is remembered for the task key ${JSON.stringify(key)}.`, { code: 'TASK_KEY_UNKNOWN' });
    this.key = key;
  }
}
