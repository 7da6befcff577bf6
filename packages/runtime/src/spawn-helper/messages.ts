import type { StdioKind } from '../process/spawner.ts';

/** What the host asks its spawn helper for. */
export interface SpawnRequest {
  /** Unique within the helper's life. */
  readonly id: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly stdio: readonly StdioKind[];
}

/** The host has not waited any longer: what has not been started is not to be. */
export interface SpawnWithdrawal {
  readonly withdrawn: number;
}

/** What the helper tells: that a process was started, that it was not, or that it ended. */
export type SpawnNews =
  | { readonly kind: 'started'; readonly id: number; readonly pid: number }
  | {
      readonly kind: 'failed';
      readonly id: number;
      /** Whether the helper failed at its own part, and not the operating system at the program. */
      readonly byHelper: boolean;
      readonly code: string | undefined;
      readonly message: string;
    }
  | {
      readonly kind: 'exited';
      readonly id: number;
      readonly exitCode: number | null;
      readonly signal: NodeJS.Signals | null;
    };

/** Each pipe of a child is a connection to the host's socket that begins with this many bytes: whose it is. */
export const LABEL_BYTES = 10;

/** @param fd the child's descriptor, one digit */
export function pipeLabel(id: number, fd: number): string {
  return `${id.toString(16).padStart(LABEL_BYTES - 2, '0')}${fd}\n`;
}

export function readPipeLabel(label: string): { readonly id: number; readonly fd: number } {
  return { id: Number.parseInt(label.slice(0, LABEL_BYTES - 2), 16), fd: Number(label[LABEL_BYTES - 2]) };
}
