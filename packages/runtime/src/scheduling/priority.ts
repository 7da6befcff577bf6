import { checkNumber } from '@pawl/core';

/** Higher is sooner. Any finite number will do between and beyond these. */
export const priorities = { low: 1, normal: 2, high: 3, urgent: 4 } as const;

export const DEFAULT_PRIORITY: number = priorities.normal;

/** @throws TypeError, RangeError when it is no finite number */
export function checkPriority(priority: unknown): number {
  return checkNumber('priority', priority);
}
