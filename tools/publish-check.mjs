// Publishes every public package to a registry on loopback, installs them from there into an empty project, and uses
// them there as a stranger would: import, require, types, command. On this Node and on a newer one.
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRegistry } from './local-registry.mjs';
import { NEWER_MAJOR, newerNode } from './newer-node.mjs';
import { entryPoints, packAll, publicPackages, root, run } from './public-packages.mjs';

const packages = publicPackages();
const entries = packages.flatMap(({ manifest }) => entryPoints(manifest));
const scope = packages
  .map(({ manifest }) => manifest.name.split('/')[0])
  .find((part) => part.startsWith('@'));
const app = packages.find(({ manifest }) => manifest.name === 'pawl').manifest;
const at = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-publish-check-')));
const consumer = join(at, 'consumer');
const registry = await startRegistry();
let [passed, failed, skipped] = [0, 0, 0];

const cleanUp = () => {
  registry.close();
  rmSync(at, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    cleanUp();
    process.kill(process.pid, signal);
  });
}

async function check(title, body) {
  const began = performance.now();
  try {
    const note = await body();
    passed += 1;
    console.log(`ok   ${title}, ${Math.round(performance.now() - began)} ms${note ? `: ${note}` : ''}`);
    return true;
  } catch (error) {
    failed += 1;
    console.error(`FAIL ${title}\n${error.message.trimEnd()}`);
    return false;
  }
}

async function publishAll() {
  // Only the own scope goes to the local registry; everything else comes from where it always comes from.
  const host = new URL(registry.url).host;
  const rc = [
    `${scope}:registry=${registry.url}`,
    `//${host}/:_authToken=local`,
    'audit=false',
    'fund=false',
    // A dependency that asks for a newer Node than ours fails here, not at the user's.
    'engine-strict=true',
    '',
  ];
  mkdirSync(consumer);
  writeFileSync(join(consumer, '.npmrc'), rc.join('\n'));
  writeFileSync(
    join(consumer, 'package.json'),
    '{ "name": "consumer", "private": true, "type": "module" }\n',
  );
  for (const { tarball } of await packAll(packages, at)) {
    await run(
      'npm',
      ['publish', tarball, '--registry', registry.url, '--tag', 'check', '--provenance=false'],
      { cwd: consumer },
    );
  }
  return `${packages.length} packages`;
}

async function installAll() {
  // A package outside the scope is named by its address, so that it can't come from another registry.
  const specs = packages.map(({ manifest: { name, version } }) =>
    name.startsWith(`${scope}/`) ? `${name}@${version}` : `${registry.url}${name}/-/${name}-${version}.tgz`,
  );
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const types = `@types/node@${devDependencies['@types/node']}`;
  await run('npm', ['install', '--prefer-offline', '--ignore-scripts', ...specs, types], { cwd: consumer });
}

function writeConsumer() {
  const named = entries.map((entry, index) => ({ entry, name: `m${index}` }));
  const imports = named.map(({ entry, name }) => `import * as ${name} from '${entry}';`).join('\n');
  const list = named.map(({ name }) => name).join(', ');
  writeFileSync(
    join(consumer, 'import.mjs'),
    `${imports}\nfor (const found of [${list}]) if (Object.keys(found).length === 0) throw new Error('exports nothing');\n`,
  );
  const names = packages.map(({ manifest }) => `${manifest.name}/package.json`);
  writeFileSync(
    join(consumer, 'require.cjs'),
    `for (const name of ${JSON.stringify([...entries, ...names])}) {
  if (Object.keys(require(name)).length === 0) throw new Error(name + ' exports nothing');
}
`,
  );
  writeFileSync(join(consumer, 'types.ts'), `${imports}\nexport const all: readonly object[] = [${list}];\n`);
  const compilerOptions = {
    target: 'ES2022',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.ts'] }));
  writeFileSync(join(consumer, 'hello.py'), 'import sys\nprint("hello from", *sys.argv[1:])\n');
}

/** A command of an installed package, run by a Node of our choice. */
async function command(node, name, ...args) {
  return (await run(node, [join(consumer, 'node_modules', '.bin', name), ...args], { cwd: consumer })).trim();
}

async function useOn(node, label) {
  await check(`import of ${entries.length} entry points, ${label}`, () =>
    run(node, ['import.mjs'], { cwd: consumer }),
  );
  await check(`require of ${entries.length} entry points, ${label}`, () =>
    run(node, ['--no-warnings', 'require.cjs'], { cwd: consumer }),
  );
  for (const { manifest } of packages) {
    for (const name of Object.keys(manifest.bin ?? {})) {
      await check(`${name} --version, ${label}`, () =>
        expectLine(command(node, name, '--version'), manifest.version),
      );
    }
  }
}

async function expectLine(printed, expected) {
  const line = await printed;
  if (line !== expected) throw new Error(`Expected it to print ${expected}, got ${JSON.stringify(line)}.`);
}

try {
  if ((await check('publish', publishAll)) && (await check('install', installAll))) {
    writeConsumer();
    await useOn(process.execPath, `Node ${process.versions.node}`);
    await check('types', () =>
      run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: consumer }),
    );
    await check('npx pawl --version', () =>
      expectLine(
        run('npx', ['--no', '--', 'pawl', '--version'], { cwd: consumer }).then((text) => text.trim()),
        app.version,
      ),
    );
    await check('pawl run hello.py', () =>
      expectLine(command(process.execPath, 'pawl', 'run', 'hello.py', '--', 'afar'), 'hello from afar'),
    );
    const newer = await newerNode().catch((error) => {
      skipped += 1;
      console.log(`skip Node ${NEWER_MAJOR} can't be had here: ${error.message.split('\n')[0]}`);
    });
    if (newer !== undefined) await useOn(newer, `Node ${NEWER_MAJOR}`);
  }
} finally {
  cleanUp();
}
console.log(`publish check: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
