import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '@pawl/core';

/** In a folder, and in the folders in it: one module each. */
const SUFFIX = '.module.json';

/** A file with definitions, as it was when it was looked at. */
export interface ModuleFile {
  readonly path: string;
  /** Another one means that it was changed. */
  readonly version: string;
}

/** The definition files that `path` stands for: itself, or `*.module.json` in it and one level down; by name. */
export async function findModuleFiles(path: string): Promise<readonly ModuleFile[]> {
  const found = await lookAt(path);
  if (found === undefined) return [];
  if (found !== 'folder') return [found];
  const entries = (await readdir(path, { withFileTypes: true })).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const files: ModuleFile[] = [];
  for (const { name } of entries) {
    const inside = join(path, name);
    if (name.endsWith(SUFFIX)) files.push(...(await fileAt(inside)));
    else if (!name.startsWith('.') && (await lookAt(inside)) === 'folder') {
      for (const inner of (await readdir(inside)).toSorted()) {
        if (inner.endsWith(SUFFIX)) files.push(...(await fileAt(join(inside, inner))));
      }
    }
  }
  return files;
}

async function fileAt(path: string): Promise<readonly ModuleFile[]> {
  const found = await lookAt(path);
  return found === undefined || found === 'folder' ? [] : [found];
}

async function lookAt(path: string): Promise<ModuleFile | 'folder' | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isDirectory()) return 'folder';
    return { path, version: `${stats.ino} ${stats.size} ${stats.mtimeNs}` };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
