// Builds the workspace quietly: `npm start` and `npm run demo` do it first. Prints only when something fails.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function build() {
  const args = [
    '--env-file=.turbo.env',
    'node_modules/turbo/bin/turbo',
    'run',
    'build',
    '--output-logs=errors-only',
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
  });
  if (status !== 0) {
    process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
    console.error('The build failed: see above.');
    process.exit(1);
  }
}
