import type { PolicyContext } from '@pawl/resilience';
import type { Execution } from './execution.ts';

/** What comes after a stage. */
export type Next = (context: PolicyContext) => Promise<unknown>;

/** A step on the way of a run: answers by itself, or calls what comes next, once or several times. */
export type Stage = (execution: Execution, context: PolicyContext, next: Next) => Promise<unknown>;
