import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLeakCheck } from '@pawl/core/testing';
import { onTestFinished } from 'vitest';

export interface Scripts {
  readonly folder: string;
  /** Writes a script. @returns its path */
  readonly script: (name: string, code: string, mode?: number) => string;
}

/** A folder for the scripts of one test, which leaves nothing behind. */
export function setupScripts(): Scripts {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-scripts-')));
  const leaks = createLeakCheck();
  onTestFinished(async () => {
    rmSync(folder, { recursive: true, force: true });
    await leaks.assertNoLeak();
  });
  return {
    folder,
    script(name, code, mode = 0o644) {
      const path = join(folder, name);
      writeFileSync(path, code);
      chmodSync(path, mode);
      return path;
    },
  };
}
