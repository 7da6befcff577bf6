// `npm run bench:caching`: what a hit, a miss, a set, a key and the disk cost, side by side with other caches. Rounds
// are interleaved; figures of one run compare with each other and with nothing else. `--json` prints the figures
// instead of the tables; `--rounds=3` makes it shorter.
import { readFileSync } from 'node:fs';
import { machine } from '../measure.mjs';
import { cases } from './contestants.mjs';

const PEERS = ['lru-cache', 'cacheable', 'bentocache', 'async-cache-dedupe'];
/** Each round repeats its passes until it took this long, so that the clock's grain does not count. */
const ROUND_MS = 60;

const rounds = Number(
  process.argv.find((arg) => arg.startsWith('--rounds='))?.slice('--rounds='.length) ?? 7,
);

/** Nanoseconds per operation. */
async function time(run, operations, roundMs) {
  let passes = 0;
  const from = process.hrtime.bigint();
  let elapsed = 0n;
  do {
    const result = run();
    // A synchronous contestant is not made to pay for an await.
    if (result !== undefined) await result;
    passes += 1;
    elapsed = process.hrtime.bigint() - from;
  } while (elapsed < BigInt(roundMs) * 1_000_000n);
  return Number(elapsed) / (passes * operations);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function measureCase({ title, operations, contestants }) {
  const made = [];
  for (const [name, make] of Object.entries(contestants)) made.push({ name, ...(await make()), samples: [] });
  try {
    for (const { run } of made) await time(run, operations, ROUND_MS);
    for (let round = 0; round < rounds; round += 1) {
      for (const { run, samples } of made) samples.push(await time(run, operations, ROUND_MS));
    }
  } finally {
    for (const { end } of made) await end?.();
  }
  console.error(`measured: ${title}`);
  const [first] = made;
  const rows = made.map(({ name, samples }) => ({
    name,
    ns: median(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
    ratio: median(samples.map((sample, round) => sample / first.samples[round])),
    above: median(samples.map((sample, round) => sample - first.samples[round])),
  }));
  return { title, rows };
}

function micros(ns) {
  return (ns / 1_000).toFixed(ns < 10_000 ? 3 : 1);
}

function toMarkdown({ title, rows }) {
  const cells = rows.map(({ name, ns, min, max, ratio, above }) => [
    name,
    micros(ns),
    `${micros(min)}–${micros(max)}`,
    ratio.toFixed(2),
    micros(above),
  ]);
  const head = ['', 'µs each', 'min–max', `÷ ${rows[0].name}`, `µs above ${rows[0].name}`];
  const lines = [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`);
  return `**${title}**\n\n${lines.join('\n')}`;
}

const results = [];
for (const each of cases) results.push(await measureCase(each));
const versions = PEERS.map((name) => {
  const { version } = JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url)),
  );
  return `${name} ${version}`;
});
if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ machine: machine(), versions, rounds, results }, null, 2));
} else {
  console.log(`${machine()}; ${versions.join(', ')}; medians of ${rounds} interleaved rounds.\n`);
  console.log(results.map(toMarkdown).join('\n\n'));
}
