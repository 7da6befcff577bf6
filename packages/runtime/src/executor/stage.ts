import type { PolicyContext } from '@pawl/resilience';
import type { Execution } from './execution.ts';

/** Takes a run on from some point of its way, to its value. Never throws synchronously. */
export type Step = (execution: Execution, context: PolicyContext) => Promise<unknown>;

/** A part of the way: a step that answers by itself, or takes what comes next, once or several times. */
export type Stage = (next: Step) => Step;
