// Bundles the JavaScript of a package: a file for each entry, and one for what the entries share. Node takes its time
// for the number of modules, not for their size. The types come from tsc.
//
//   node ../../tools/bundle.mjs [source that is started by itself…]
//
// Run from the package's folder. Its entries are the sources that `exports` in its package.json names, and those given.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { rolldown } from 'rolldown';

const folder = process.cwd();
const src = resolve(folder, 'src');
const dist = resolve(folder, 'dist');
const manifest = JSON.parse(readFileSync(resolve(folder, 'package.json'), 'utf8'));

const exported = Object.values(manifest.exports).flatMap((entry) => entry['@pawl/source'] ?? []);
const input = Object.fromEntries(
  [...exported, ...process.argv.slice(2)].map((source) => {
    const file = resolve(folder, source);
    return [relative(src, file).replace(/\.ts$/, ''), file];
  }),
);
const entries = new Set(Object.values(input));
/** The folders of entries that are not the main one: worker processes load these and not the rest. */
const apart = [...entries].map((entry) => dirname(entry)).filter((at) => at !== src);

const bundle = await rolldown({
  input,
  platform: 'node',
  external: [/^node:/, ...dependencies(manifest).map((name) => new RegExp(`^${name}(/|$)`))],
  preserveEntrySignatures: 'allow-extension',
  transform: { target: 'node20.19' },
  plugins: [{ name: 'module-urls', transform: { handler: checkModuleUrl } }],
  onLog(level, log, handler) {
    // What can't be resolved would fail where the package is imported.
    handler(level === 'warn' ? 'error' : level, log);
  },
});
const { output } = await bundle.write({
  dir: dist,
  format: 'esm',
  sourcemap: true,
  entryFileNames: '[name].js',
  chunkFileNames: 'shared/[name].js',
  codeSplitting: {
    // What the main entry needs of such a folder is no reason to load the rest with it.
    includeDependenciesRecursively: false,
    groups: [{ name: chunkOf, debugName: 'folder of an entry' }],
  },
});

// Of an earlier build, or of a source that is gone.
const written = new Set(output.map(({ fileName }) => fileName));
for (const file of readdirSync(dist, { recursive: true })) {
  const [, source] = /^(.+)\.d\.ts(\.map)?$/.exec(file) ?? [];
  const isStale = source === undefined ? /\.js(\.map)?$/.test(file) : !existsSync(join(src, `${source}.ts`));
  if (isStale && !written.has(file)) rmSync(join(dist, file));
}

function chunkOf(id) {
  if (entries.has(id)) return null;
  const own = apart.find((at) => id.startsWith(at + sep));
  return own === undefined ? 'main' : relative(src, own);
}

function dependencies({ dependencies: needed = {}, optionalDependencies: wanted = {} }) {
  return Object.keys({ ...needed, ...wanted });
}

/** A URL relative to a module means the same in `src/<folder>/` and in `dist/shared/`, and nowhere else. */
function checkModuleUrl(code, id) {
  const isMoved = id.startsWith(src + sep) && !entries.has(id) && relative(src, id).split(sep).length !== 2;
  const isUsed = /\bimport\.meta\.(url|dirname|filename)\b/.test(
    code.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, ''),
  );
  if (isMoved && isUsed) {
    throw new Error(`${id} uses import.meta.url: it has to lie in a folder of src for that.`);
  }
}
