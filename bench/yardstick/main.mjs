// `npm run yardstick`: does the checks with each pool and prints the table.
//   --only crash       the checks whose id begins so          --peer piscina   one pool alone
//   --verbose          what was seen, check by check          --jobs 3         so many at a time
//   --write            keeps the table in docs/yardstick.md   --check          is that table about these checks?
//   --broken           two pools that are broken on purpose instead: every check must fail with one of them
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checks } from './checks/all.mjs';
import { contestants, peers } from './peers/all.mjs';
import { idsIn, toMarkdown, totals } from './table.mjs';
import { endTrials, tryAllKinds, tryOnce } from './trial.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    peer: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    verbose: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    broken: { type: 'boolean', default: false },
  },
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => void endTrials().then(() => process.exit(1)));
}

const page = new URL('../../docs/yardstick.md', import.meta.url);
const formatter = new URL('../../node_modules/oxfmt/bin/oxfmt', import.meta.url);
const chosen = checks.filter(({ id }) => id.startsWith(values.only));

/** Does jobs, some at a time, in their order. */
async function inLanes(jobs, lanes) {
  const left = jobs.values();
  const lane = async () => {
    for (const job of left) await job();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function tell(check, peer, { outcome, kind, observed }) {
  const isTold = values.verbose || (outcome === 'fail' && peer.name === 'Pawl');
  if (isTold)
    console.error(`${outcome.padEnd(11)} ${check.id}, ${peer.name} (${kind})${observed && `: ${observed}`}`);
}

/** The outcome of every check with every pool. */
async function compare() {
  const columns = contestants.filter(({ name }) => values.peer === undefined || name === values.peer);
  if (columns.length === 0) {
    throw new TypeError(`Expected --peer to be one of ${contestants.map(({ name }) => name).join(', ')}.`);
  }
  const results = new Map(
    chosen.map(({ id }) => [id, new Map(columns.map(({ name }) => [name, undefined]))]),
  );
  const jobs = chosen.flatMap((check) =>
    columns.map((peer) => async () => {
      const trial = await tryAllKinds(check, peer);
      results.get(check.id).set(peer.name, trial);
      tell(check, peer, trial);
    }),
  );
  await inLanes(jobs, Number(values.jobs));
  return results;
}

/** The checks that both broken pools pass, or have no words for. */
async function findWorthless() {
  const worthless = [];
  const jobs = chosen.map((check) => async () => {
    const outcomes = [];
    for (const kind of peers.broken.kinds) {
      const trial = await tryOnce(check, peers.broken, kind);
      outcomes.push(trial.outcome);
      tell(check, peers.broken, trial);
      if (trial.outcome === 'fail') return;
    }
    worthless.push(`${check.id} (${outcomes.join(', ')})`);
  });
  await inLanes(jobs, Number(values.jobs));
  return worthless;
}

if (values.check) {
  const kept = idsIn(readFileSync(page, 'utf8'));
  const known = checks.map(({ id }) => id);
  const missing = known.filter((id) => !kept.includes(id));
  const gone = kept.filter((id) => !known.includes(id));
  console.log(
    `docs/yardstick.md: ${kept.length} checks; missing: ${missing.join(', ') || 'none'}; gone: ${gone.join(', ') || 'none'}`,
  );
  process.exitCode = missing.length + gone.length === 0 ? 0 : 1;
} else if (values.broken) {
  const worthless = await findWorthless();
  console.log(`${chosen.length} checks; never seen failing: ${worthless.join(', ') || 'none'}`);
  process.exitCode = worthless.length === 0 ? 0 : 1;
} else {
  const results = await compare();
  if (values.write) {
    writeFileSync(page, toMarkdown(results));
    execFileSync(process.execPath, [fileURLToPath(formatter), fileURLToPath(page)], { stdio: 'ignore' });
    console.log(totals(results));
  } else console.log(toMarkdown(results));
  const faults = [...results.values()].filter((trials) => trials.get('Pawl')?.outcome === 'fail');
  process.exitCode = faults.length === 0 ? 0 : 1;
}
