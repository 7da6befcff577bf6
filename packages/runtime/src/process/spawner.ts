import type { ExitInfo } from './process-handle.ts';

/** What to do with a descriptor of the child. */
export type StdioKind = 'pipe' | 'ignore' | 'inherit';

/** What to start: checked, with the whole environment. */
export interface SpawnPlan {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** By descriptor; each `pipe` beyond the first three can be read and written. */
  readonly stdio: readonly StdioKind[];
}

/** A process that was started, in whatever way. It leads a group of its own where there are groups. */
export interface StartedChild {
  readonly pid: number;
  /** The host's ends, by descriptor; `null` for those that are not pipes. */
  readonly stdio: readonly (NodeJS.ReadableStream | NodeJS.WritableStream | null | undefined)[];
  /** Calls `listener` once, when it has ended; at once when it has. */
  onExit(listener: (exit: ExitInfo) => void): void;
  /** Whether it keeps this process running. It does at first. */
  ref(): void;
  unref(): void;
}
