// The packages of this workspace that are published, their entry points, and their tarballs.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

export function publicPackages() {
  return ['packages', 'apps']
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`))
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({
      folder,
      manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')),
    }))
    .filter(({ manifest }) => manifest.private !== true);
}

/** What can be imported of a package: `@pawl/core`, `@pawl/core/testing`. */
export function entryPoints(manifest) {
  return Object.keys(manifest.exports ?? {})
    .filter((path) => path !== './package.json' && !path.includes('*'))
    .map((path) => manifest.name + path.slice(1));
}

/** Packs each package into the folder. Returns what npm says of each, and where its tarball is. */
export async function packAll(packages, into) {
  const workspaces = packages.flatMap(({ folder }) => ['-w', folder]);
  const text = await run('npm', ['pack', '--json', '--pack-destination', into, ...workspaces], { cwd: root });
  const packed = Object.values(JSON.parse(text));
  return packages.map(({ folder, manifest }) => {
    const { filename, files, size, unpackedSize } = packed.find((one) => one.name === manifest.name);
    return {
      folder,
      manifest,
      files: files.map((file) => file.path),
      sourceSize: files.reduce((sum, file) => sum + (file.path.startsWith('src/') ? file.size : 0), 0),
      size,
      unpackedSize,
      tarball: join(into, filename),
    };
  });
}

/** Runs a program to its end and gives what it printed. Rejects with all of that when it fails. */
export function run(command, args, { cwd, env = environment() } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => (stderr += data));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else
        reject(new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}:\n${stdout}${stderr}`));
    });
  });
}

/** This environment without what `npm run` adds, which would tie an npm started here to this workspace. */
export function environment(extra = {}) {
  const own =
    /^npm_(package_|lifecycle_|command$|execpath$|node_execpath$|config_local_prefix$|config_loglevel$)|^INIT_CWD$/i;
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name))), ...extra };
}
