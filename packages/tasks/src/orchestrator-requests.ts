import { checkKnownKeys, checkOneOf, PawlError } from '@pawl/core';
import { type PatternName, patternNames } from './pattern-advisor-catalogue.ts';
import type { ModuleItem, ModuleReport, RunAllOptions } from './patterns/concurrent.ts';
import type { RunningModule } from './patterns/long-running.ts';
import type { ModuleOptions } from './patterns/module-options.ts';
import type { PeriodicStatistics, PeriodicTiming } from './patterns/periodic.ts';
import type { ModuleResult, RunModuleOptions } from './patterns/run-module.ts';
import type { RunSpec } from './tracking/run-spec.ts';
import type { StartedRun } from './tracking/run-tracker.ts';

/** One of many runs: what it does not say it takes from the request. */
export interface RequestItem extends Omit<ModuleItem, 'scriptPath' | 'mode'> {
  readonly scriptPath?: string;
}

/** What is to be run, and what is known of it. Without `pattern` the first field that is there decides, in this order. */
export interface OrchestratorRequest extends Omit<ModuleOptions, 'clock' | 'logger' | 'processes'> {
  readonly scriptPath: string;
  readonly args?: readonly string[] | undefined;
  /** @default chosen */
  readonly pattern?: PatternName | undefined;
  /** Periodic: runs again and again what the rest of the request asks for. */
  readonly periodic?: (PeriodicTiming & { readonly name: string }) | undefined;
  /** Long-running: answers at once, with the output while it is printed. */
  readonly streaming?: boolean | undefined;
  /** Concurrent: a run for each of them. */
  readonly items?: readonly RequestItem[] | undefined;
  /** Fire-and-forget when false: answers once the run is stored. @default true */
  readonly waitForResult?: boolean | undefined;
  /** Pooled: calls this function of the script, which is a file of functions, in a warm worker. */
  readonly pooled?: { readonly task: string; readonly input?: unknown } | undefined;

  /** Of a simple run. */
  readonly onLine?: RunModuleOptions['onLine'];
  readonly maxOutputBytes?: number | undefined;
  /** Of a concurrent one. */
  readonly onProgress?: RunAllOptions['onProgress'] | undefined;
  /** Of a long-running one. @default made up */
  readonly runId?: string | undefined;
  /** Of a fire-and-forget one: priority, idempotency key, delay, deadline, attempts. */
  readonly tracking?: Omit<RunSpec, 'task' | 'input' | 'timeoutMs'> | undefined;
}

/** What came of a request, by pattern. */
export interface Executions {
  readonly simple: { readonly pattern: 'simple'; readonly result: ModuleResult };
  readonly 'long-running': { readonly pattern: 'long-running'; readonly run: RunningModule };
  readonly concurrent: { readonly pattern: 'concurrent'; readonly reports: readonly ModuleReport[] };
  readonly 'fire-and-forget': { readonly pattern: 'fire-and-forget'; readonly run: StartedRun };
  readonly periodic: { readonly pattern: 'periodic'; readonly task: PeriodicHandle };
  readonly pooled: { readonly pattern: 'pooled'; readonly value: unknown };
}

export type Execution = Executions[PatternName];

/** A periodic task that was begun. */
export interface PeriodicHandle {
  readonly name: string;
  statistics(): PeriodicStatistics | undefined;
  /** Runs it no more; a run of it goes on. */
  cancel(): Promise<void>;
}

const KEYS: readonly (keyof OrchestratorRequest)[] = [
  'scriptPath',
  'args',
  'pattern',
  'periodic',
  'streaming',
  'items',
  'waitForResult',
  'pooled',
  'cwd',
  'mode',
  'env',
  'inheritEnv',
  'signal',
  'timeoutMs',
  'graceMs',
  'interpreter',
  'onLine',
  'maxOutputBytes',
  'onProgress',
  'runId',
  'tracking',
];

/** What a pattern can't do without. */
const NEEDED: Partial<Record<PatternName, keyof OrchestratorRequest>> = {
  periodic: 'periodic',
  concurrent: 'items',
  pooled: 'pooled',
};

/**
 * The pattern of a request: the one it names, else the first it asks for.
 * @throws TypeError, PawlError `REQUEST_INCOMPLETE` when the named one lacks what it needs
 */
export function patternOf(request: OrchestratorRequest): PatternName {
  checkKnownKeys('execute', request, KEYS);
  const { pattern } = request;
  if (pattern === undefined) return choosePattern(request);
  checkOneOf('pattern', pattern, patternNames);
  const needed = NEEDED[pattern];
  if (needed === undefined || request[needed] !== undefined) return pattern;
  throw new PawlError(`The pattern \`${pattern}\` needs \`${needed}\`.`, { code: 'REQUEST_INCOMPLETE' });
}

function choosePattern(request: OrchestratorRequest): PatternName {
  if (request.periodic !== undefined) return 'periodic';
  if (request.streaming === true) return 'long-running';
  if (request.items !== undefined) return 'concurrent';
  if (request.waitForResult === false) return 'fire-and-forget';
  if (request.pooled !== undefined) return 'pooled';
  return 'simple';
}
