import type { WorkerCommand } from '@pawl/runtime';

/** `bubblewrap` parts each run with namespaces, `landlock` with file rules alone, `none` not at all. */
export type SandboxKind = 'bubblewrap' | 'landlock' | 'none';

/** What a worker needs besides its sandbox. */
export interface LaunchOptions {
  /** Path of the real interpreter. */
  readonly python: string;
  /** An empty folder for the runs' own folders, where there is no namespace to hide them in. */
  readonly folder: string;
}

/** One way to keep a program away from this machine. */
export interface Sandbox {
  readonly kind: SandboxKind;
  /** 1: namespaces, system call filter and limits. 2: file rules, system call filter and limits. 0: limits alone. */
  readonly tier: 0 | 1 | 2;
  /** Why it can't work here, as far as that shows without a try, and what would help. */
  obstacle(): string | undefined;
  /** What to start for one worker. */
  command(options: LaunchOptions): WorkerCommand;
}

/** A property of a sandbox, and whether it was found to hold. */
export interface SandboxCheck {
  readonly property: 'network' | 'files' | 'processes' | 'memory' | 'environment' | 'kernel';
  readonly contained: boolean;
  /** What was tried, and what came of it. */
  readonly detail: string;
}

/** Which sandbox is in use and with which interpreter, what it was seen to hold, and why no stronger one is. */
export interface SandboxReport {
  readonly kind: SandboxKind;
  readonly tier: Sandbox['tier'];
  /** The interpreter that runs in it. */
  readonly python: string;
  readonly checks: readonly SandboxCheck[];
  /** Interpreters that were tried before in this same sandbox, and don't work in it. */
  readonly rejectedPythons: readonly RejectedPython[];
  /** Stronger sandboxes, which work with no interpreter. */
  readonly rejected: readonly RejectedSandbox[];
}

export interface RejectedPython {
  /** Its path, or the name under which it was looked for in vain. */
  readonly python: string;
  readonly reason: string;
}

export interface RejectedSandbox {
  readonly kind: SandboxKind;
  /** Names the interpreters, where it was tried with some. */
  readonly reason: string;
}
