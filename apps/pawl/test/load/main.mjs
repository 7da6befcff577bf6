// `npm run load -w pawl -- --minutes 10 --clients 200`: good and hostile programs from many clients at once, to a service
// with its default settings. Ends with 1 if an answer was wrong, a refusal did not say when to come again, or something
// was left behind. `--programs 5000` bounds how many are sent, `--set NAME=value` changes a setting of the service.
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '200' },
    programs: { type: 'string', default: '1000000' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const conditions = ['@pawl/source', 'module', 'node', 'development|production'];
const { module } = await runnerImport(new URL('./run.ts', import.meta.url).pathname, {
  root: import.meta.dirname,
  logLevel: 'error',
  // Node 20 has no `using`.
  oxc: { target: 'node20' },
  resolve: { conditions, externalConditions: conditions, noExternal: [/^@pawl\//] },
});
process.exitCode = await module.run({
  clients: Number(values.clients),
  minutes: Number(values.minutes),
  maxPrograms: Number(values.programs),
  env: Object.fromEntries(values.set.map((each) => each.split(/=(.*)/s, 2))),
});
