// `npm run bench:ipc`: request and answer with one child process, side by side with other ways to do it. An echo, so
// that nothing but the channel is measured. `--json` prints the figures instead of the tables.
import { readFileSync } from 'node:fs';
import { machine, measure, toMarkdown } from '../measure.mjs';
import { peers } from './peers.mjs';

const tiny = { a: 1 };
const text = (bytes) => ({ text: 'x'.repeat(bytes) });
const cases = [
  { title: 'tiny, 1 in flight', inFlight: 1, calls: 10_000, input: tiny },
  { title: 'tiny, 8 in flight', inFlight: 8, calls: 40_000, input: tiny },
  { title: 'tiny, 64 in flight', inFlight: 64, calls: 120_000, input: tiny },
  { title: 'tiny, 1,024 in flight', inFlight: 1_024, calls: 120_000, input: tiny },
  { title: '10 KB, 16 in flight', inFlight: 16, calls: 6_000, input: text(10_000) },
  { title: '1 MB, 4 in flight', inFlight: 4, calls: 120, input: text(1_000_000) },
];

const results = await measure(peers, cases);
if (process.argv.includes('--json')) console.log(JSON.stringify({ machine: machine(), results }, null, 2));
else {
  const { version } = JSON.parse(
    readFileSync(new URL('../../node_modules/vscode-jsonrpc/package.json', import.meta.url)),
  );
  console.log(
    `${machine()}; vscode-jsonrpc ${version}; medians of 5 interleaved rounds.\n\n${toMarkdown(results)}`,
  );
}
