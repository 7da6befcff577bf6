import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Builds once before the tests: worker processes, examples and the app run from `dist`, as users run them.
 * Cached by turbo, so an unchanged tree costs about 0.1 s.
 */
export default function setup(): void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  execFileSync(
    process.execPath,
    ['--env-file=.turbo.env', 'node_modules/turbo/bin/turbo', 'run', 'build', '--output-logs=errors-only'],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
}
