// `npm run bench:patterns`: what the patterns cost over doing the same by hand: starting a program, capturing what it
// prints, cutting that into lines, going through the orchestrator, and warm workers against processes. `--json` prints
// the figures instead of the tables.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrchestrator } from '@pawl/tasks';
import { machine, median } from '../measure.mjs';
import { captures, lines, starts, works } from './contestants.mjs';

const ROUNDS = Number(process.argv.find((each) => each.startsWith('--rounds='))?.slice(9) ?? 5);
const STARTS = 400;
const CAPTURED = 300_000_000;
const LINE_BYTES = 200_000_000;
const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-'));

/** Wall and host CPU milliseconds of a call of each way, the ways in turn. */
async function inTurn(ways, rounds, calls = 1) {
  const samples = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(ways)) {
      const before = process.cpuUsage();
      const from = performance.now();
      for (let call = 0; call < calls; call += 1) await run();
      const wallMs = (performance.now() - from) / calls;
      const { user, system } = process.cpuUsage(before);
      // The first round warms up.
      if (round >= 0) samples[name].push({ wallMs, cpuMs: (user + system) / 1_000 / calls });
      for (const file of readdirSync(folder)) rmSync(join(folder, file));
    }
  }
  return samples;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The CPU clock ticks too coarsely for the median of single starts. */
function rows(samples, figures) {
  const [first] = Object.values(samples);
  return Object.entries(samples).map(([way, taken]) => {
    const ratio = median(taken.map(({ wallMs }, round) => wallMs / first[round].wallMs));
    const wallMs = median(taken.map((sample) => sample.wallMs));
    return { way, ...figures(wallMs), ratio, cpuMs: mean(taken.map((sample) => sample.cpuMs)) };
  });
}

const perCall = (wallMs) => ({ 'ms a call': wallMs });
const perSecond = (bytes) => (wallMs) => ({ 'MB/s': bytes / 1_000 / wallMs });

const cell = (value) => (typeof value === 'number' ? value.toFixed(value < 10 ? 3 : 0) : value);

function toMarkdown({ title, rows: each }) {
  const head = Object.keys(each[0]);
  const body = [head, head.map(() => '---'), ...each.map((row) => Object.values(row).map(cell))];
  return `**${title}**\n\n${body.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`;
}

const orchestrator = createOrchestrator({ pool: { maxWorkers: 1 } });
const work = works(orchestrator);
const results = [];
const note = (title, each) => {
  results.push({ title, rows: each });
  console.error(`measured: ${title}`);
};
try {
  note('One start of `true`', rows(await inTurn(starts(orchestrator), STARTS), perCall));
  note('Captured output', rows(await inTurn(captures(CAPTURED), ROUNDS), perSecond(CAPTURED)));
  note('Lines of 80 bytes', rows(await inTurn(lines(LINE_BYTES, folder), ROUNDS), perSecond(LINE_BYTES)));
  note('One call of a warm worker', rows(await inTurn(work.node, ROUNDS, 5_000), perCall));
  note('The same, Python', rows(await inTurn(work.python, ROUNDS, 2_000), perCall));
  note('The same work in a process of its own', rows(await inTurn(work.unpooled, ROUNDS, 10), perCall));
} finally {
  await work.stop();
  await orchestrator.stop();
  rmSync(folder, { recursive: true, force: true });
}
if (process.argv.includes('--json')) console.log(JSON.stringify({ machine: machine(), results }, null, 2));
else {
  const { version } = JSON.parse(
    readFileSync(new URL('../../node_modules/execa/package.json', import.meta.url)),
  );
  console.log(`${machine()}; execa ${version}.\n\n${results.map(toMarkdown).join('\n\n')}`);
}
