import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { runCli } from '../src/conformance/cli.ts';
import { checkWorker, type Report } from '../src/conformance/kit.ts';
import { rules } from '../src/conformance/rules.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const broken = at('fixtures/conformance/broken_worker.mjs');
const hasPython = spawnSync('python3', ['--version']).status === 0;
// The Node SDK runs from what it was compiled to, in a process of its own.
const hasNodeSdk = existsSync(at('../../runtime/dist/worker/index.js')) && existsSync(at('../dist/index.js'));

function check(
  command: readonly [string, ...string[]],
  channel: 'fd3' | 'stdout' = 'stdout',
): Promise<Report> {
  return checkWorker({ command, channel, environment: process.env, timeoutMs: 20_000, rules });
}

const ids = ({ verdicts }: Report, status: string): readonly string[] =>
  verdicts.filter((verdict) => verdict.status === status).map(({ rule }) => rule.id);

async function cli(...args: readonly string[]) {
  let out = '';
  let err = '';
  const exitCode = await runCli(args, {
    environment: process.env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { exitCode, out, err };
}

/** Processes that were started for the fixture, zombies left out. */
function leftBehind(mark: string): readonly string[] {
  const { stdout } = spawnSync('ps', ['-eo', 'stat=,args='], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((line) => line.includes(mark) && !line.startsWith('Z') && !line.includes('ps -eo'));
}

describe('the rules', () => {
  it('have ids of their own, and stand under headings of docs/protocol.md', () => {
    const page = readFileSync(at('../../../docs/protocol.md'), 'utf8');
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    expect(rules.length).toBeGreaterThanOrEqual(40);
    for (const { id, section, says } of rules) {
      expect(page, id).toContain(`\n## ${section}\n`);
      expect(says, id).toMatch(/\.$/);
    }
  });
});

describe.each(['stdout', 'fd3'] as const)('over %s the kit passes', (channel) => {
  it.skipIf(!hasPython)('the short worker of docs/protocol.md', { timeout: 120_000 }, async () => {
    const report = await check(['python3', at('../../../examples/workers/short_worker.py')], channel);
    expect(ids(report, 'fail')).toEqual([]);
    // It has one thread, which reads.
    expect(ids(report, 'warn')).toEqual(['parent.gone']);
    expect(ids(report, 'pass').length).toBeGreaterThanOrEqual(40);
  });

  it.skipIf(!hasPython)('a worker in plain Python', { timeout: 120_000 }, async () => {
    const report = await check(['python3', at('../../../examples/workers/plain_worker.py')], channel);
    expect(ids(report, 'fail')).toEqual([]);
    expect(ids(report, 'warn')).toEqual([]);
    expect(ids(report, 'pass').length).toBeGreaterThanOrEqual(40);
  });

  it.skipIf(!hasPython)('a worker on the Python SDK', { timeout: 120_000 }, async () => {
    const report = await check(['python3', at('fixtures/conformance/python_worker.py')], channel);
    expect(ids(report, 'fail')).toEqual([]);
    expect(ids(report, 'warn')).toEqual([]);
    // In Python nothing but exceptions can be thrown.
    expect(ids(report, 'not offered')).toEqual([
      'run.concurrent',
      'cancel.spares-others',
      // It answers on stdin itself, from a side thread.
      'control.withdraw-while-spinning',
      'control.stack',
      'errors.thrown',
    ]);
  });

  it.skipIf(!hasNodeSdk)('a worker on the Node SDK', { timeout: 120_000 }, async () => {
    const report = await check([process.execPath, at('fixtures/conformance/node_worker.mjs')], channel);
    expect(ids(report, 'fail')).toEqual([]);
    // Node can't move its stdout elsewhere, so what children inherit of it is the channel.
    expect(ids(report, 'warn')).toEqual(channel === 'stdout' ? ['channel.not-inherited'] : []);
    expect(ids(report, 'not offered')).toEqual([]);
  });
});

describe('pawl-conformance', () => {
  it('prints each rule, and exits with 0 when none is broken', { timeout: 60_000 }, async () => {
    const { exitCode, out } = await cli(
      '--only',
      'ping.pid',
      '--only',
      'stream.order',
      '--',
      process.execPath,
      broken,
      '--fault',
      'none',
    );
    expect(exitCode).toBe(0);
    expect(out).toMatch(
      /^Runs\n {2}pass +stream\.order .*\n\nHealth\n {2}pass +ping\.pid .*\n\n2 passed, 0 failed/,
    );
  });

  it(
    'shows why and what was exchanged, and exits with 1, when one is broken',
    { timeout: 60_000 },
    async () => {
      const { exitCode, out } = await cli(
        '--only',
        'ping.pid',
        '--',
        process.execPath,
        broken,
        '--fault',
        'ping.pid',
      );
      expect(exitCode).toBe(1);
      expect(out).toMatch(/fail +ping\.pid/);
      expect(out).toMatch(/It is \d+, in `hello` \d+\./);
      expect(out).toContain('→ {"jsonrpc":"2.0","id":1,"method":"ping"}\\n');
      expect(out).toMatch(/← \{"jsonrpc":"2.0","id":1,"result":\{"pid":/);
    },
  );

  it('only warns of a "should" that is not kept', { timeout: 60_000 }, async () => {
    const rule = 'refuse.says-why';
    const { exitCode, out } = await cli('--only', rule, '--', process.execPath, broken, '--fault', rule);
    expect(exitCode).toBe(0);
    expect(out).toContain('1 warned');
  });

  it('prints one JSON document', { timeout: 60_000 }, async () => {
    const rule = 'errors.message';
    const { exitCode, out } = await cli(
      '--json',
      '--only',
      rule,
      '--',
      process.execPath,
      broken,
      '--fault',
      rule,
    );
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      channel: 'stdout',
      hello: { name: 'broken' },
      counts: { pass: 0, fail: 1, warn: 0, 'not offered': 0, skipped: 0 },
      rules: [{ id: rule, section: 'Errors', level: 'must', status: 'fail', exchange: expect.any(Array) }],
    });
  });

  it('fails a command that is no worker, and checks nothing else', { timeout: 60_000 }, async () => {
    const { exitCode, out } = await cli('--json', '--', 'sh', '-c', 'echo hi; echo oops >&2');
    expect(exitCode).toBe(1);
    const { counts, rules: verdicts } = JSON.parse(out) as {
      counts: unknown;
      rules: { id: string; status: string; exchange?: string[] }[];
    };
    expect(counts).toMatchObject({ fail: 1, skipped: rules.length - 1 });
    const first = verdicts.find(({ status }) => status === 'fail');
    expect(first).toMatchObject({ id: 'hello.first-frame' });
    expect([...(first?.exchange ?? [])].toSorted()).toEqual(['! oops\\n', '← hi\\n']);
  });

  it('exits with 64 for wrong usage', async () => {
    for (const args of [
      [],
      ['--'],
      ['--nope', '--', 'true'],
      ['--channel', 'fd4', '--', 'true'],
      ['--timeout-ms', '0', '--', 'true'],
      ['--only', 'no.such.rule', '--', 'true'],
    ]) {
      const { exitCode, err } = await cli(...args);
      expect(exitCode, args.join(' ')).toBe(64);
      expect(err).toContain('Usage: pawl-conformance');
    }
  });

  it("exits with 69 when the command can't be started", async () => {
    const { exitCode, err } = await cli('--', '/no/such/worker');
    expect(exitCode).toBe(69);
    expect(err).toContain('/no/such/worker');
  });

  it('prints its help and its rules', async () => {
    expect(await cli('--help')).toMatchObject({ exitCode: 0, out: expect.stringContaining('--timeout-ms') });
    const { out } = await cli('--list');
    expect(out.trim().split('\n')).toHaveLength(rules.length);
  });

  it('leaves no process behind, also when it is stopped half-way', { timeout: 60_000 }, async () => {
    const mark = `left-behind-${process.pid}`;
    const stop = new AbortController();
    const options = {
      command: [process.execPath, broken, '--fault', 'eof.exits-within-a-second', mark] as const,
      channel: 'stdout' as const,
      environment: process.env,
      timeoutMs: 10_000,
    };
    await checkWorker({ ...options, rules: rules.filter(({ section }) => section === 'The end') });
    expect(leftBehind(mark)).toEqual([]);
    const stopped = checkWorker({ ...options, rules, signal: stop.signal });
    setTimeout(() => stop.abort(), 400);
    const { verdicts } = await stopped;
    expect(verdicts.some(({ status }) => status === 'skipped')).toBe(true);
    expect(leftBehind(mark)).toEqual([]);
  });

  it.skipIf(!existsSync(at('../dist/conformance/cli.js')))(
    'runs as a command',
    { timeout: 60_000 },
    async () => {
      const bin = at('../bin/pawl-conformance.js');
      expect(spawnSync(bin, ['--help'], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
      const folder = mkdtempSync(join(tmpdir(), 'pawl-conformance-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const started = join(folder, 'started');
      const worker = `touch '${started}'; exec '${process.execPath}' '${broken}' --fault none`;
      const child = spawn(bin, ['--', 'sh', '-c', worker], { stdio: 'ignore' });
      await vi.waitUntil(() => existsSync(started), { timeout: 30_000 });
      child.kill('SIGINT');
      expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(130);
    },
  );
});
