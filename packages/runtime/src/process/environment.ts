import { joinMarks, MARK_NAME } from './process-mark.ts';

/** What a child inherits unless told otherwise: what programs need to find each other and to speak the user's language. */
const INHERITED_NAMES: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'TMP',
  'TEMP',
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'APPDATA',
  'LOCALAPPDATA',
  'USERPROFILE',
];

/**
 * The environment of a child: the harmless names of this process's own (`PATH`, `HOME`, `LANG`, `LC_*`, `TZ`, temp
 * folders, what Windows needs), what `inherit` names, and `added`, which wins. Everything else, secrets first of all,
 * stays here.
 * @param mark by which the child and all that comes of it can be found
 */
export function childEnvironment(
  added: Readonly<Record<string, string>> = {},
  inherit: readonly string[] = [],
  mark?: string,
): Record<string, string> {
  // The one place of the package that looks at the host's environment.
  // oxlint-disable-next-line node/no-process-env
  const host = process.env;
  const names = new Set([...INHERITED_NAMES, ...inherit]);
  const chosen: Record<string, string> = {};
  for (const [name, value] of Object.entries(host)) {
    if (value !== undefined && (names.has(name) || names.has(name.toUpperCase()) || name.startsWith('LC_'))) {
      chosen[name] = value;
    }
  }
  return {
    ...chosen,
    ...added,
    ...(mark === undefined ? {} : { [MARK_NAME]: joinMarks(host[MARK_NAME], mark) }),
  };
}
