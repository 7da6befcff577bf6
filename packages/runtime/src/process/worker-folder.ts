import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@pawl/core';

/** A temporary folder of one worker's own: its working folder, its home, and where its temporary files go. */
export interface WorkerFolder {
  readonly path: string;
  /** The variables that lead there. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes it with all that is in it. Never rejects. */
  remove(): Promise<void>;
}

export async function createWorkerFolder(logger: Logger): Promise<WorkerFolder> {
  const path = await mkdtemp(join(tmpdir(), 'pawl-worker-'));
  return {
    path,
    env: { HOME: path, TMPDIR: path, TMP: path, TEMP: path },
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) => {
        logger.warn({ err: error, folder: path }, "A worker's temporary folder could not be removed.");
      });
    },
  };
}
