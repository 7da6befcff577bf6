// `npm run bench:resilience`: what a policy adds to a call, side by side with other libraries. Each call is waited for
// before the next. Times are CPU time of this process, which a busy machine disturbs less than the clock on the wall;
// rounds are interleaved, and "above bare" is taken within a round. `--json` prints the figures instead of the tables; `--rounds=3` makes it shorter.
import { readFileSync } from 'node:fs';
import { machine, median } from '../measure.mjs';
import { bare, cases, hasOpossum } from './contestants.mjs';

const PEERS = ['cockatiel', 'opossum', 'p-retry'];
/** Each round repeats its calls until it took this long, so that the clock's grain does not count. */
const ROUND_MS = 40;
const CALLS = 500;

const rounds = Number(
  process.argv.find((arg) => arg.startsWith('--rounds='))?.slice('--rounds='.length) ?? 11,
);

/** CPU microseconds per call. */
async function time(call) {
  let calls = 0;
  let usedMs = 0;
  const from = process.cpuUsage();
  while (usedMs < ROUND_MS) {
    for (let index = 0; index < CALLS; index += 1) await call();
    calls += CALLS;
    const { user, system } = process.cpuUsage(from);
    usedMs = (user + system) / 1_000;
  }
  return (usedMs * 1_000) / calls;
}

async function measureCase({ title, make }) {
  const made = Object.entries(make()).flatMap(([name, contestant]) =>
    contestant === undefined ? [] : [{ name, ...contestant, samples: [] }],
  );
  const baseline = { call: bare, samples: [] };
  try {
    for (const { call } of [baseline, ...made]) await time(call);
    for (let round = 0; round < rounds; round += 1) {
      for (const { call, samples } of [baseline, ...made]) samples.push(await time(call));
    }
  } finally {
    for (const { end } of made) end?.();
  }
  console.error(`measured: ${title}`);
  const [first] = made;
  const above = ({ samples }) => median(samples.map((sample, round) => sample - baseline.samples[round]));
  const rows = made.map(({ name, samples }) => ({
    name,
    us: median(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
    above: above({ samples }),
    ratio: above({ samples }) / above(first),
  }));
  return { title, bare: median(baseline.samples), rows };
}

function toMarkdown({ title, bare: bareUs, rows }) {
  const head = ['', 'CPU µs a call', 'min–max', 'above bare', 'above bare ÷ the first row’s'];
  const lines = rows.map(({ name, us, min, max, above, ratio }) => [
    name,
    us.toFixed(2),
    `${min.toFixed(2)}–${max.toFixed(2)}`,
    above.toFixed(2),
    ratio.toFixed(1),
  ]);
  const table = [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `**${title}** (bare call ${bareUs.toFixed(2)} µs)\n\n${table}`;
}

function versionOf(name) {
  try {
    const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
    return `${name} ${JSON.parse(readFileSync(file, 'utf8')).version}`;
  } catch {
    return `${name} not installed`;
  }
}

const results = [];
for (const each of cases) results.push(await measureCase(each));
const versions = PEERS.map(versionOf);
if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ machine: machine(), versions, hasOpossum, rounds, results }, null, 2));
} else {
  const head = `${machine()}; ${versions.join(', ')}; medians of ${rounds} interleaved rounds.`;
  console.log([head, ...results.map(toMarkdown)].join('\n\n'));
}
