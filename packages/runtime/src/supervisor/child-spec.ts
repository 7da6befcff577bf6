import {
  checkDurationMs,
  checkFunction,
  checkKnownKeys,
  checkOneOf,
  checkString,
  DEFAULT_GRACE_MS,
  expectedMessage,
} from '@pawl/core';
import type { ProcessConfig } from '../process/process-manager.ts';

/**
 * When a child that has ended is started again: `permanent` always, `transient` when it failed, `temporary` never.
 */
export type ChildRestart = 'permanent' | 'transient' | 'temporary';

/** What a start gives: a worker, a server, a supervisor, anything that runs until it ends or is stopped. */
export interface RunningChild {
  /**
   * Settles when it has ended. It failed if this rejects, or gives an `exitCode` other than 0, or a `signal`.
   */
  readonly exited: Promise<unknown>;
  /** Ends it. Resolves when it has ended. */
  stop(options: { readonly graceMs: number }): Promise<unknown>;
}

export interface ChildContext {
  /** Aborts when the child is not wanted any more. */
  readonly signal: AbortSignal;
  /** How often the child was started before. */
  readonly starts: number;
}

interface ChildSpecBase {
  /** Unique among the children. */
  readonly id: string;
  /** @default 'permanent' */
  readonly restart?: ChildRestart;
  /** How long it may take to stop by itself, in milliseconds. @default 5000 */
  readonly stopGraceMs?: number;
}

/** Something to keep running: what starts it, or a process. */
export type ChildSpec =
  | (ChildSpecBase & {
      /** Resolves when it runs. */
      start(context: ChildContext): Promise<RunningChild> | RunningChild;
    })
  | (ChildSpecBase & {
      /** It starts with the same streams as this process, without stdin, unless told otherwise; pipes are drained. */
      readonly process: ProcessConfig;
    });

export interface ResolvedChildSpec extends Required<ChildSpecBase> {
  readonly start: (context: ChildContext) => Promise<RunningChild> | RunningChild;
}

/** @param startProcess starts a child that is given as a process */
export function resolveChildSpecs(
  specs: readonly ChildSpec[],
  startProcess: (config: ProcessConfig) => Promise<RunningChild>,
): readonly ResolvedChildSpec[] {
  if (!Array.isArray(specs)) throw new TypeError(expectedMessage('children', 'an array', specs));
  const ids = new Set<string>();
  return specs.map((spec: ChildSpec, index) => {
    const name = `children[${index}]`;
    checkKnownKeys(name, spec, ['id', 'restart', 'stopGraceMs', 'start', 'process']);
    const id = checkString(`${name}.id`, spec.id);
    if (ids.has(id)) throw new TypeError(expectedMessage(`${name}.id`, 'unique among the children', id));
    ids.add(id);
    if ('start' in spec === 'process' in spec) {
      throw new TypeError(expectedMessage(name, 'a child with either `start` or `process`', id));
    }
    return {
      id,
      restart: checkOneOf(`${name}.restart`, spec.restart ?? 'permanent', [
        'permanent',
        'transient',
        'temporary',
      ]),
      stopGraceMs: checkDurationMs(`${name}.stopGraceMs`, spec.stopGraceMs ?? DEFAULT_GRACE_MS, {
        infinite: true,
      }),
      start:
        'process' in spec
          ? () => startProcess(spec.process)
          : checkFunction(`${name}.start`, (context: ChildContext) => spec.start(context)),
    };
  });
}
