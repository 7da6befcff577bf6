import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from '@pawl/core';
import type { Config } from '../../config.ts';
import { createServiceStore } from '../../service-store.ts';
import { formatBytes } from '../quantities.ts';
import type { Finding } from './finding.ts';

/** Less free space than this, and the next long log may fill the disk. */
const LITTLE_SPACE_BYTES = 256 * 1024 * 1024;

/** Whether the service could write its store and logs. */
export async function checkDataFolder({ dataDir, store }: Config): Promise<Finding> {
  const name = 'data folder';
  const ok = (detail: string): Finding => ({ name, ok: true, detail, remedy: null });
  if (store === 'memory') return ok(`${dataDir} is not used for runs: PAWL_STORE is memory`);
  const remedy = 'Make it writable for this user, or choose another with PAWL_DATA_DIR.';
  try {
    const existing = await nearestFolder(dataDir);
    if (!(await stat(existing)).isDirectory()) {
      return { name, ok: false, detail: `${existing} is not a folder`, remedy };
    }
    await access(existing, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(existing);
    const free = bavail * bsize;
    const detail = `${dataDir}, ${formatBytes(free)} free${existing === dataDir ? '' : '; the service makes it'}`;
    if (free >= LITTLE_SPACE_BYTES) return ok(detail);
    return { name, ok: false, detail, remedy: 'Free some space, or choose another with PAWL_DATA_DIR.' };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { name, ok: false, detail, remedy };
  }
}

/** Opens the store as the service would, and reads all of it. */
export async function checkStore(config: Config): Promise<Finding> {
  const name = 'store';
  const store = createServiceStore(config);
  const { file } = store;
  if (file === undefined) {
    return { name, ok: true, detail: 'in memory: runs are gone with the service', remedy: null };
  }
  try {
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) {
      return { name, ok: true, detail: `${file} is made by the service when it starts`, remedy: null };
    }
    const { ok, problems } = await store.integrity();
    const remedy = 'Stop the service, put the file aside and restore a backup.';
    return ok
      ? { name, ok, detail: `${file}, ${formatBytes(found.size)}, whole`, remedy: null }
      : { name, ok, detail: problems.join(' '), remedy };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    // The service has it open: it is well as long as the service is.
    if (hasCode(error, 'STORE_LOCKED')) return { name, ok: true, detail, remedy: null };
    return {
      name,
      ok: false,
      detail,
      remedy: 'Restore a backup, or choose another folder with PAWL_DATA_DIR.',
    };
  } finally {
    await store.close();
  }
}

async function nearestFolder(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    });
    if (found !== undefined || dirname(at) === at) return at;
  }
}
