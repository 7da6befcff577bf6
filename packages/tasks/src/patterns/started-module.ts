import type { Readable } from 'node:stream';
import type { Logger } from '@pawl/core';
import type { ExitInfo, ProcessConfig, ProcessHandle } from '@pawl/runtime';
import type { ModuleCommand } from './module-command.ts';

/** What is to be run, checked. */
export interface ModulePlan {
  readonly command: ModuleCommand;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly inheritEnv: readonly string[];
  readonly logger: Logger;
  /** Starts a process: this is how a module comes into a manager, or into the attempt of a tracked run. */
  readonly spawn: (config: ProcessConfig) => Promise<ProcessHandle>;
}

/** A module under way, whatever it runs in. */
export interface StartedModule {
  readonly pid: number;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Whether its streams are sure to end with it. Pipes are not: who else holds one keeps it open. */
  readonly endsItsOutput?: true;
  /** Resolves when it has ended; never waits for who else holds its pipes. */
  readonly exited: Promise<ExitInfo>;
  /** Resolves when what it had started is gone too. */
  readonly released: Promise<unknown>;
  terminate(options: { readonly graceMs: number }): Promise<unknown>;
}
