import { checkInteger, checkKnownKeys, checkNumber, checkOneOf, checkString, PawlError } from '@pawl/core';
import type { Run } from './run.ts';
import { RUN_STATES, type RunState } from './run-state.ts';

/** Which runs to list. What is left out does not narrow. */
export interface RunQuery {
  /** One state, or any of several. */
  readonly state?: RunState | readonly RunState[] | undefined;
  readonly task?: string | undefined;
  /** The key whose runs take turns. */
  readonly key?: string | undefined;
  /** The id of the schedule whose slots they have. */
  readonly schedule?: string | undefined;
  /** Submitted at this moment or later, in milliseconds since the epoch. */
  readonly createdFrom?: number | undefined;
  /** Submitted before this moment. */
  readonly createdBefore?: number | undefined;
  /** From 1 to 1000. @default 50 */
  readonly limit?: number | undefined;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** Runs, the latest submission first. */
export interface RunPage {
  readonly runs: readonly Run[];
  /** Where the next page begins; undefined on the last. New runs do not move it. */
  readonly nextCursor: string | undefined;
}

/** Where a run stands in every list: by the time of its submission, then by its number in the store. */
export interface RunPosition {
  readonly createdAt: number;
  readonly sequence: number;
}

/** A checked query. */
export interface ResolvedRunQuery {
  readonly states: readonly RunState[];
  readonly task: string | undefined;
  readonly key: string | undefined;
  readonly schedule: string | undefined;
  readonly createdFrom: number;
  readonly createdBefore: number;
  readonly limit: number;
  /** Only what comes after it. */
  readonly after: RunPosition | undefined;
}

const KEYS: readonly (keyof RunQuery)[] = [
  'state',
  'task',
  'key',
  'schedule',
  'createdFrom',
  'createdBefore',
  'limit',
  'cursor',
];

/** @throws TypeError, RangeError, PawlError `INVALID_CURSOR` */
export function resolveRunQuery(query: RunQuery): ResolvedRunQuery {
  checkKnownKeys('list', query, KEYS);
  const { state = RUN_STATES, task, key, schedule, cursor } = query;
  const states = Array.isArray(state) ? state : [state];
  for (const each of states) checkOneOf('state', each, RUN_STATES);
  if (task !== undefined) checkString('task', task);
  if (key !== undefined) checkString('key', key);
  if (schedule !== undefined) checkString('schedule', schedule);
  return {
    states: RUN_STATES.filter((each) => states.includes(each)),
    task,
    key,
    schedule,
    createdFrom: checkMoment('createdFrom', query.createdFrom ?? -Infinity),
    createdBefore: checkMoment('createdBefore', query.createdBefore ?? Infinity),
    limit: checkInteger('limit', query.limit ?? 50, { min: 1, max: 1_000 }),
    after: cursor === undefined ? undefined : parseCursor(cursor),
  };
}

/** Whichever comes first in a list is negative. */
export function comparePositions(a: RunPosition, b: RunPosition): number {
  return b.createdAt - a.createdAt || b.sequence - a.sequence;
}

export function toCursor({ createdAt, sequence }: RunPosition): string {
  return `${createdAt}_${sequence}`;
}

function parseCursor(cursor: unknown): RunPosition {
  const [, createdAt, sequence] = /^(\d+(?:\.\d+)?)_(\d+)$/.exec(String(cursor)) ?? [];
  if (createdAt === undefined || sequence === undefined) {
    throw new PawlError(`Expected \`cursor\` to be the nextCursor of a page, got \`${String(cursor)}\`.`, {
      code: 'INVALID_CURSOR',
    });
  }
  return { createdAt: Number(createdAt), sequence: Number(sequence) };
}

function checkMoment(name: string, value: number): number {
  return Math.abs(value) === Infinity ? value : checkNumber(name, value);
}
