// `npm run bench:ipc`: request and answer with one child process, and with two, side by side with other ways to
// do it. An echo, so that nothing but the channel is measured. `--json` prints the figures instead of the tables.
import { readFileSync } from 'node:fs';
import { machine, measure, toMarkdown } from '../measure.mjs';
import { records, text, tiny } from '../payloads.mjs';
import { BOUND, peers } from './peers.mjs';

const tinyCases = [
  { title: 'tiny, 1 in flight', inFlight: 1, input: tiny },
  { title: 'tiny, 8 in flight', inFlight: 8, input: tiny },
  { title: 'tiny, 64 in flight', inFlight: 64, input: tiny },
  { title: 'tiny, 1,024 in flight', inFlight: 1_024, input: tiny },
];
const largeCases = [
  { title: '10 KB of records, 16 in flight', inFlight: 16, input: records(10_000), warmMs: 2_000 },
  { title: '1 MB of records, 4 in flight', inFlight: 4, input: records(1_000_000), warmMs: 2_000 },
  { title: '1 MB of text, 4 in flight', inFlight: 4, input: text(1_000_000), warmMs: 2_000 },
];

const single = new URL('./peers.mjs', import.meta.url);
const pairs = new URL('./pairs.mjs', import.meta.url);
const all = Object.keys(peers);
const results = [
  ...(await measure(single, all, tinyCases)),
  ...(await measure(
    single,
    all.filter((name) => name !== BOUND),
    largeCases,
  )),
  ...(await measure(pairs, all, [
    { title: 'tiny, 64 in flight, two children', inFlight: 64, input: tiny },
    { title: 'tiny, 1,024 in flight, two children', inFlight: 1_024, input: tiny },
  ])),
];
if (process.argv.includes('--json')) console.log(JSON.stringify({ machine: machine(), results }, null, 2));
else {
  const { version } = JSON.parse(
    readFileSync(new URL('../../node_modules/vscode-jsonrpc/package.json', import.meta.url)),
  );
  console.log(
    `${machine()}; vscode-jsonrpc ${version}; medians of 5 interleaved rounds.\n\n${toMarkdown(results)}`,
  );
}
