import { existsSync } from 'node:fs';
import { launchCommand } from './launcher.ts';
import type { Sandbox } from './sandbox.ts';

const USUAL_PATHS = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'];

/**
 * `bwrap` gives a worker a read-only file system with `/usr` and little else, without network; inside it each run gets
 * user, process, mount and IPC namespaces of its own.
 * @param path where `bwrap` is; by default it is looked for in the usual folders
 */
export function bubblewrapSandbox(path?: string): Sandbox {
  const find = (): string | undefined =>
    (path === undefined ? USUAL_PATHS : [path]).find((each) => existsSync(each));
  return {
    kind: 'bubblewrap',
    tier: 1,
    obstacle() {
      if (process.platform !== 'linux') return 'it needs Linux';
      if (find() !== undefined) return undefined;
      return `there is no bwrap; install the package bubblewrap (\`apt-get install bubblewrap\`)`;
    },
    command: ({ python }) => launchCommand(python, 'bubblewrap', { bwrap: find() ?? 'bwrap' }),
  };
}
