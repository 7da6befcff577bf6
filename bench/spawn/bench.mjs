// `npm run bench:spawn`: what a start of `true` costs in hosts of different memory, directly and through the spawn
// helper. Each figure is measured in a host of its own, the ways in turn within each round. `--json` prints the figures.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { machine, median } from '../measure.mjs';

const HOST = fileURLToPath(new URL('children/host.mjs', import.meta.url));
const SIZES_MB = [0, 250, 500, 1_000];
const ROUNDS = 5;

const results = SIZES_MB.map((extraMb) => {
  const rounds = Array.from({ length: ROUNDS }, () =>
    ['direct', 'helper'].map((way) =>
      JSON.parse(execFileSync(process.execPath, [HOST, way, String(extraMb)])),
    ),
  );
  const figure = (index, key) => median(rounds.map((round) => round[index][key]));
  const of = (index) => ({
    spawnMs: figure(index, 'spawnMs'),
    stallMs: figure(index, 'stallMs'),
    togetherMs: figure(index, 'togetherMs'),
    mbPerSecond: figure(index, 'mbPerSecond'),
  });
  console.error(`measured: ${extraMb} MB more`);
  return { hostMb: figure(0, 'rssMb'), helperMb: figure(1, 'helperMb'), direct: of(0), helper: of(1) };
});

if (process.argv.includes('--json')) console.log(JSON.stringify({ machine: machine(), results }, null, 2));
else {
  const head = [
    'host MB',
    'direct, ms (stall)',
    'helper, ms (stall)',
    '8 at once, direct ms',
    'helper ms',
    'output, direct MB/s',
    'helper MB/s',
    'helper, own MB',
  ];
  const rows = results.map(({ hostMb, helperMb, direct, helper }) => [
    hostMb.toFixed(0),
    `${direct.spawnMs.toFixed(2)} (${direct.stallMs.toFixed(2)})`,
    `${helper.spawnMs.toFixed(2)} (${helper.stallMs.toFixed(2)})`,
    direct.togetherMs.toFixed(1),
    helper.togetherMs.toFixed(1),
    direct.mbPerSecond.toFixed(0),
    helper.mbPerSecond.toFixed(0),
    helperMb.toFixed(1),
  ]);
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  console.log(
    `${machine()}; medians of ${ROUNDS} rounds, each in hosts of their own.\n\n${lines.join('\n')}`,
  );
}
