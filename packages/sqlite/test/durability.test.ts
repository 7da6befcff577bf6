import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { tempFolder } from './setup-store.ts';

const SUBMIT = fileURLToPath(new URL('fixtures/submit.mjs', import.meta.url));
const TRACER = 'strace';
const CAN_TRACE = spawnSync(TRACER, ['-o', '/dev/null', 'true']).status === 0;

/** How often the disk was told to keep what it has, between the request of `count` submissions and their answer. */
function syncsFor(count: number): number {
  const trace = join(tempFolder(), 'trace');
  const file = join(tempFolder(), 'runs.db');
  const args = [
    '-f',
    '-o',
    trace,
    '-e',
    'trace=fsync,fdatasync,write',
    process.execPath,
    SUBMIT,
    file,
    String(count),
  ];
  const { status, stderr } = spawnSync(TRACER, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const lines = readFileSync(trace, 'utf8').split('\n');
  const asked = lines.findIndex((line) => line.includes('"ASKED'));
  const answered = lines.findIndex((line) => line.includes('"ANSWERED'));
  expect(asked).toBeGreaterThan(-1);
  expect(answered).toBeGreaterThan(asked);
  return lines
    .slice(asked, answered)
    .filter((line) => /\bf(data)?sync\(\d+\)\s+= 0|<\.\.\. f(data)?sync resumed/.test(line)).length;
}

describe.runIf(CAN_TRACE)('a submission', () => {
  it('is on disk before it is answered', () => {
    expect(syncsFor(1)).toBeGreaterThanOrEqual(1);
  });

  it('shares the trip to the disk with those of the same moment', () => {
    const syncs = syncsFor(64);
    expect(syncs).toBeGreaterThanOrEqual(1);
    expect(syncs).toBeLessThanOrEqual(4);
  });
});

describe('opening a store', () => {
  it('prints nothing, on any version of Node', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [SUBMIT, join(tempFolder(), 'runs.db'), '1'],
      {
        encoding: 'utf8',
      },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'ASKED\nANSWERED\n', stderr: '' });
  });
});
