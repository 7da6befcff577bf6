import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { resolvePoolOptions } from './pool-options.ts';

const worker = new URL('file:///tasks.mjs');

describe('resolvePoolOptions', () => {
  it('fills in the defaults', () => {
    expect(resolvePoolOptions({ worker })).toMatchObject({
      env: {},
      inheritEnv: [],
      cwd: undefined,
      privateFolder: false,
      minWorkers: 1,
      maxWorkers: availableParallelism(),
      spareWorkers: 0,
      maxRunsPerWorker: Infinity,
      idleTimeoutMs: 3_600_000,
      maxQueue: 10_000,
      runTimeoutMs: 300_000,
      startTimeoutMs: 10_000,
      cancelGraceMs: 5_000,
      killGraceMs: 5_000,
      maxRestarts: 3,
      restartWithinMs: 60_000,
      maxMessageBytes: 67_108_864,
      heartbeatMs: 5_000,
    });
  });

  it('takes a folder as a path or a URL', () => {
    expect(resolvePoolOptions({ worker, cwd: '/tmp' }).cwd).toBe('/tmp');
    expect(resolvePoolOptions({ worker, cwd: new URL('file:///a%20b/') }).cwd).toBe('/a b/');
  });

  it('takes Infinity where that is no limit', () => {
    const forever = {
      idleTimeoutMs: Infinity,
      maxQueue: Infinity,
      runTimeoutMs: Infinity,
      maxRunsPerWorker: Infinity,
    };
    expect(resolvePoolOptions({ worker, ...forever })).toMatchObject(forever);
  });

  const refused: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ worker: 7 }, 'Expected `worker` to be a file URL or a command, got `7` (number).'],
    [{ env: ['A'] }, 'Expected `env` to be an object of strings, got `["A"]` (array).'],
    [{ env: { A: 1 } }, 'Expected `env.A` to be a string, got `1` (number).'],
    [{ inheritEnv: 'A' }, 'Expected `inheritEnv` to be an array of strings, got `"A"` (string).'],
    [{ cwd: 3 }, 'Expected `cwd` to be a path or a file: URL, got `3` (number).'],
    [{ cwd: '' }, 'Expected `cwd` to be a non-empty string, got `""` (string).'],
    [{ privateFolder: 'yes' }, 'Expected `privateFolder` to be true or false, got `"yes"` (string).'],
    [{ execArgv: [1] }, 'Expected `execArgv` to be an array of strings, got `[1]` (array).'],
    [{ python: '' }, 'Expected `python` to be a non-empty string, got `""` (string).'],
    [{ minWorkers: -1 }, 'Expected `minWorkers` to be an integer ≥ 0, got `-1` (number).'],
    [{ maxWorkers: 0 }, 'Expected `maxWorkers` to be an integer ≥ 1, got `0` (number).'],
    [{ maxWorkers: '2' }, 'Expected `maxWorkers` to be an integer ≥ 1, got `"2"` (string).'],
    [{ minWorkers: 9, maxWorkers: 4 }, 'Expected `minWorkers` (9) to be at most `maxWorkers` (4).'],
    [{ spareWorkers: 0.5 }, 'Expected `spareWorkers` to be an integer ≥ 0, got `0.5` (number).'],
    [
      { maxRunsPerWorker: 0 },
      'Expected `maxRunsPerWorker` to be an integer ≥ 1, or Infinity, got `0` (number).',
    ],
    [
      { idleTimeoutMs: -1 },
      'Expected `idleTimeoutMs` to be milliseconds ≥ 0, or Infinity, got `-1` (number).',
    ],
    [{ maxQueue: -1 }, 'Expected `maxQueue` to be an integer ≥ 0, or Infinity, got `-1` (number).'],
    [
      { runTimeoutMs: '5s' },
      'Expected `runTimeoutMs` to be milliseconds ≥ 0, or Infinity, got `"5s"` (string).',
    ],
    [
      { startTimeoutMs: Infinity },
      'Expected `startTimeoutMs` to be milliseconds ≥ 0, got `Infinity` (number).',
    ],
    [{ cancelGraceMs: Number.NaN }, 'Expected `cancelGraceMs` to be milliseconds ≥ 0, got `NaN` (number).'],
    [{ killGraceMs: false }, 'Expected `killGraceMs` to be milliseconds ≥ 0, got `false` (boolean).'],
    [{ restart: 3 }, 'Expected `options of restart` to be an object, got `3` (number).'],
    [{ restart: { max: 1 } }, 'Unknown option `max` of restart; Known: maxRestarts, withinMs.'],
    [
      { restart: { maxRestarts: -1 } },
      'Expected `restart.maxRestarts` to be an integer ≥ 0, or Infinity, got `-1` (number).',
    ],
    [{ restart: { withinMs: -1 } }, 'Expected `restart.withinMs` to be milliseconds ≥ 0, got `-1` (number).'],
    [{ maxMessageBytes: 10 }, 'Expected `maxMessageBytes` to be an integer ≥ 1024, got `10` (number).'],
    [{ heartbeatMs: -5 }, 'Expected `heartbeatMs` to be milliseconds ≥ 0, got `-5` (number).'],
    [{ clock: {} }, 'Expected `clock` to be a Clock, got `{}` (object).'],
    [{ logger: 'console' }, 'Expected `logger` to be a Logger, got `"console"` (string).'],
    [{ maxWorker: 2 }, 'Unknown option `maxWorker` of createPool; did you mean `maxWorkers`?'],
    [{ timeoutMs: 2 }, 'Unknown option `timeoutMs` of createPool; did you mean `runTimeoutMs`?'],
  ];

  it.each(refused)('refuses %j', (wrong, message) => {
    expect(() => resolvePoolOptions({ worker, ...wrong })).toThrow(message);
  });

  it('refuses every option by its name', () => {
    const tested = new Set(refused.flatMap(([wrong]) => Object.keys(wrong)));
    const all = Object.keys(resolvePoolOptions({ worker })).filter(
      (key) => !/^(resolveCommand|restart|maxRestarts)/.test(key),
    );
    expect(all.filter((key) => !tested.has(key))).toEqual([]);
  });
});
