import { linuxProcessTable } from './linux-process-table.ts';
import type { ProcessTable } from './process-table.ts';
import { psProcessTable } from './ps-process-table.ts';

/** The table of this machine: `/proc` on Linux, `ps` on other Unix systems, none on Windows. */
export function systemProcessTable(): ProcessTable | undefined {
  if (process.platform === 'linux') return linuxProcessTable();
  return process.platform === 'win32' ? undefined : psProcessTable();
}
