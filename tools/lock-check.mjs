// Fails when the lockfile lacks a platform's optional package (then `npm ci` refuses it elsewhere) or names a registry host.
import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8');
const entries = Object.entries(JSON.parse(text).packages);
const faults = [];
for (const [at, entry] of entries) {
  if (entry.resolved !== undefined && !entry.link) faults.push(`${at} names a host: ${entry.resolved}`);
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const found = entries.some(([other]) => other.endsWith(`node_modules/${name}`));
    if (!found) faults.push(`${at} ${entry.version} wants ${name}@${range}, which the lockfile lacks`);
  }
}
for (const fault of faults) console.error(`lock-check: ${fault}`);
console.log(`lock-check: ${entries.length} entries, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
