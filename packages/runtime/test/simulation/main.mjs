// `npm run simulate -- --seeds 1000`: lives of a pool with the seeds 1 to 1000. `--seed 7` replays one and prints its log,
// `--from 5000` begins there.
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
  },
});
const conditions = ['@pawl/source', 'module', 'node', 'development|production'];
const { module } = await runnerImport(new URL('./simulate.ts', import.meta.url).pathname, {
  root: import.meta.dirname,
  logLevel: 'error',
  // Node 20 has no `using`.
  oxc: { target: 'node20' },
  resolve: { conditions, externalConditions: conditions, noExternal: [/^@pawl\//] },
});
const first = Number(values.seed ?? values.from);
const last = values.seed === undefined ? first + Number(values.seeds) - 1 : first;
let runs = 0;
let workers = 0;
for (let seed = first; seed <= last; seed += 1) {
  try {
    const report = await module.simulate(seed);
    runs += report.runs;
    workers += report.workers;
    if (values.seed !== undefined) console.log(report.log.join('\n'));
  } catch (error) {
    if (values.seed !== undefined && error.log !== undefined) console.log(error.log.join('\n'));
    console.error(error.name === 'BrokenRuleError' ? error.message : error);
    process.exit(1);
  }
}
console.log(`${last - first + 1} seeds, ${runs} runs, ${workers} workers: every rule was kept.`);
