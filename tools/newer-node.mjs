// Finds a newer Node beside the one that runs: `node tools/newer-node.mjs [major]` prints the path of its binary.
import { pathToFileURL } from 'node:url';
import { environment, run } from './public-packages.mjs';

export const NEWER_MAJOR = 24;

/**
 * The binary package of npm, which needs no install script (`npx -p node@24` under ignore-scripts silently runs the
 * old Node), asked for its version.
 * @returns the path of the binary
 * @throws when it can't be had, or is not what was asked for
 */
export async function newerNode(major = NEWER_MAJOR) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}@${major}`;
  // The node of that package runs the script; the one that runs this file is not meant.
  const script = 'process.stdout.write(JSON.stringify([process.execPath, process.versions.node]))';
  const text = await run('npx', ['--yes', '--package', name, '--', 'node', '-e', script], {
    env: environment(),
  });
  const [path, version] = JSON.parse(text);
  if (version.split('.')[0] !== String(major)) throw new Error(`${name} gave Node ${version}.`);
  return path;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(await newerNode(process.argv[2]));
  } catch (error) {
    console.error(`Node ${process.argv[2] ?? NEWER_MAJOR} can't be had: ${error.message.split('\n')[0]}`);
    process.exitCode = 1;
  }
}
