import { statSync } from 'node:fs';
import { HttpError } from '../http-errors.ts';

/** A request that is well-formed and can't be done as it is. */
export function unusable(code: string, field: string, message: string): HttpError {
  return new HttpError(422, code, message, [{ field, message }]);
}

/** @throws HttpError 422 unless it is a folder, or absent */
export function checkFolder(field: string, path: string | undefined): void {
  if (path === undefined) return;
  let isFolder: boolean;
  try {
    isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    isFolder = false;
  }
  if (!isFolder) {
    throw unusable(
      'FOLDER_NOT_FOUND',
      field,
      `Expected \`${field}\` to be a folder of this machine, got \`${path}\`.`,
    );
  }
}
