// What `npm pack` would publish, checked: the files that should be there, none that should not, and a size budget.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { packAll, publicPackages } from './public-packages.mjs';

/** Sources, the bundles they become, declarations and maps, and a page or two to read. */
const BUDGET = { timesSource: 4, baseBytes: 50_000 };
const UNWANTED =
  /(^|\/)(test|bench|coverage|node_modules|__pycache__)\/|\.test\.|\.pyc$|tsbuildinfo|\.env|vitest\.config/;

/** @returns the faults of one package, each as a line */
export function faultsOf({ manifest, files, sourceSize, unpackedSize }) {
  const faults = [];
  /** A command line has no types, and a file for each source. */
  const isTyped = targets(manifest.exports).some((path) => path.endsWith('.d.ts'));
  const has = new Set(files);
  const wanted = [
    'package.json',
    'README.md',
    'LICENSE',
    ...Object.values(manifest.bin ?? {}),
    ...targets(manifest.exports),
  ];
  for (const file of wanted.map((path) => path.replace(/^\.\//, ''))) {
    if (!has.has(file)) faults.push(`${file} is not packed`);
  }
  for (const file of files) {
    if (UNWANTED.test(file)) faults.push(`${file} must not be packed`);
    const built = /^dist\/(?!ui\/)(.+?)(\.d\.ts|\.js)(\.map)?$/.exec(file);
    if (built !== null && !has.has(`src/${built[1]}.ts`) && !(isTyped && isShared(file)))
      faults.push(`${file} has no source: a stale build?`);
    const source = /^src\/(.+)(?<!\.d)\.ts$/.exec(file);
    if (source === null || UNWANTED.test(file)) continue;
    const missing = (isTyped ? ['.d.ts', '.d.ts.map'] : ['.js', '.js.map']).filter(
      (end) => !has.has(`dist/${source[1]}${end}`),
    );
    if (missing.length > 0) faults.push(`dist/${source[1]} lacks ${missing.join(' ')}: build first`);
  }
  for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (/^(workspace|file|link):|^\*$/.test(range)) faults.push(`${name}@${range} cannot be published`);
  }
  const budgetBytes = BUDGET.baseBytes + BUDGET.timesSource * sourceSize;
  if (unpackedSize > budgetBytes)
    faults.push(
      `${unpackedSize} bytes unpacked, over the budget of ${budgetBytes} for ${sourceSize} of source`,
    );
  return faults;
}

/** What the entries of a package have in common. */
function isShared(file) {
  return /^dist\/shared\/[^/]+\.js(\.map)?$/.test(file);
}

/** Every file that an `exports` field points to. */
function targets(value) {
  if (typeof value === 'string') return value.includes('*') ? [] : [value];
  return Object.values(value ?? {}).flatMap(targets);
}

async function main() {
  const at = mkdtempSync(join(tmpdir(), 'pawl-pack-check-'));
  try {
    for (const pack of await packAll(publicPackages(), at)) {
      const { buffer, byteOffset, byteLength } = readFileSync(pack.tarball);
      const tarball = buffer.slice(byteOffset, byteOffset + byteLength);
      const { messages, pkg } = await publint({
        strict: true,
        pack: { tarball },
      });
      const faults = [
        ...faultsOf(pack),
        ...messages.map((message) => formatMessage(message, pkg, { color: false })),
      ];
      const { name, version } = pack.manifest;
      for (const fault of faults) console.error(`${name}: ${fault}`);
      if (faults.length > 0) process.exitCode = 1;
      console.log(
        `${name}@${version}: ${pack.files.length} files, ${pack.size} bytes packed, ${faults.length} faults`,
      );
    }
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
