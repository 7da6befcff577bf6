import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder, NO_PYTHON } from './processes.ts';
import { type Ended, pawl as runPawl, type PawlOptions } from './pawl-command.ts';
import { type Service, startService } from './start-service.ts';

const FILES = {
  'hello.sh': 'echo "hello $1"; echo oops >&2; exit "${2:-0}"',
  'wait.sh': 'echo started; exec sleep "${1:-60}"',
  'die.sh': 'kill -SEGV $$',
  'where.sh': 'pwd; echo "$COLOR"',
  'program.py': 'print(input())',
  'module/report.sh': 'echo "$*"; echo "secret ${#PAWL_PARAM_PASSWORD}"',
  'module/report.module.json': JSON.stringify({
    id: 'report',
    name: 'Monthly report',
    script: 'report.sh',
    parameters: [
      { name: 'month', type: 'number', required: true, min: 1, max: 12 },
      { name: 'verbose', type: 'checkbox' },
      { name: 'style', type: 'select', options: ['long', 'short'], default: 'short' },
    ],
  }),
};

const folder = makeFolder();
let service: Service;
beforeAll(async () => {
  mkdirSync(join(folder.path, 'module'));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder.path, name), content);
  service = await startService({ PAWL_MODULES: join(folder.path, 'module'), PAWL_MAX_CONCURRENT_RUNS: '8' });
});
afterAll(async () => {
  await service.dispose();
  folder.remove();
});

function pawl(args: readonly string[], options: PawlOptions = {}): Promise<Ended> {
  return runPawl(args, { ...options, cwd: folder.path, env: { PAWL_URL: service.url, ...options.env } });
}

/** What a command prints with `--json`: one document and nothing else. */
async function json<T = Readonly<Record<string, unknown>>>(args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await pawl([...args, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as T;
}

/** Submits a run. @returns its id */
async function submit(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await pawl(['submit', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^run_\d{8}_\d{6}_[a-z-]+_[0-9a-f]{8}\n$/);
  return stdout.trim();
}

async function submitAndWait(...args: readonly string[]): Promise<string> {
  const { stdout } = await pawl(['submit', '--wait', ...args]);
  return stdout.split(' ', 1)[0] ?? '';
}

describe.concurrent('pawl submit', { timeout: 120_000 }, () => {
  it.for<readonly [args: readonly string[], code: number, said: RegExp]>([
    [['hello.sh'], 0, /^run_\S+ succeeded after \d+/],
    [['hello.sh', '--', 'x', '7'], 7, /^run_\S+ failed after [^:]+: .*exited with code 7/],
    [['die.sh'], 139, /^run_\S+ failed after [^:]+: .*SIGSEGV/],
    [['--timeout', '200ms', 'wait.sh'], 124, /^run_\S+ timed-out after/],
    [['--command', 'sh', '--', '-c', 'exit 3'], 3, /^run_\S+ failed/],
  ])('--wait %j ends with %i', async ([args, exitCode, said]) => {
    const { code, stdout, stderr } = await pawl(['submit', '--wait', ...args]);
    expect(code).toBe(exitCode);
    expect(stdout).toMatch(said);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stderr).toMatch(/^pawl: submitted run_\S+\n$/);
  });

  it('--wait ends with 130 when somebody cancels the run', async () => {
    const id = await submit('wait.sh');
    const waiting = pawl(['submit', '--wait', '--key', id, 'wait.sh']);
    let second: string | undefined;
    while (second === undefined) {
      const { runs } = await json<{ runs: readonly { id: string }[] }>(['ls', '--key', id]);
      second = runs[0]?.id;
    }
    expect((await pawl(['cancel', second, '--reason', 'enough'])).code).toBe(0);
    expect(await waiting).toMatchObject({
      code: 130,
      stdout: expect.stringMatching(/ cancelled.*: enough\n$/),
    });
    await pawl(['cancel', id]);
  });

  it('--follow prints each line where it came from, and ends with its code', async () => {
    const { code, stdout, stderr } = await pawl(['submit', '--follow', 'hello.sh', '--', 'you', '5']);
    expect([code, stdout]).toEqual([5, 'hello you\n']);
    expect(stderr).toMatch(/^pawl: submitted run_\S+\noops\npawl: run_\S+ failed [^\n]+\n$/);
  });

  it('--follow --json prints a document a line', async () => {
    const { code, stdout, stderr } = await pawl(['submit', '--follow', '--json', 'hello.sh']);
    expect([code, stderr]).toEqual([0, '']);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const texts = events.filter(({ event }) => event === 'entry').map(({ text }) => String(text));
    expect(texts.toSorted()).toEqual(['hello ', 'oops']);
    expect(events.slice(-2)).toMatchObject([
      { event: 'complete', state: 'succeeded' },
      { event: 'run', run: { state: 'succeeded', exitCode: 0 } },
    ]);
  });

  it('--wait --json prints the run alone', async () => {
    const { code, stdout, stderr } = await pawl(['submit', '--wait', '--json', 'hello.sh', '--', 'x', '4']);
    expect([code, stderr]).toEqual([4, '']);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'failed', exitCode: 4, title: 'hello.sh x 4' });
  });

  it('runs in the folder of the caller, with its own variables', async () => {
    const run = await json<{ id: string }>(['submit', '--wait', '--env', 'COLOR=red', 'where.sh']);
    expect((await pawl(['logs', run.id])).stdout).toBe(`${folder.path}\nred\n`);
  });

  it.skipIf(NO_PYTHON)(`runs Python from a file and from stdin${NO_PYTHON}`, async () => {
    writeFileSync(join(folder.path, 'input'), 'read\n');
    const file = await pawl(['submit', '--follow', '--python', 'program.py', '--stdin', 'input']);
    expect([file.code, file.stdout]).toEqual([0, 'read\n']);
    const stdin = await pawl(['submit', '--wait', '--python', '-'], { input: 'raise SystemExit(3)' });
    expect(stdin.code).toBe(3);
  });

  it('sends how it is to be run', async () => {
    const options = [
      '--priority',
      'high',
      '--key',
      'k1',
      '--max-attempts',
      '3',
      '--delay',
      '1h',
      '--timeout',
      '2h',
    ];
    const run = await json([
      'submit',
      ...options,
      '--deadline',
      '1d',
      '--idempotency-key',
      'once',
      'hello.sh',
    ]);
    expect(run).toMatchObject({
      state: 'queued',
      priority: 3,
      key: 'k1',
      maxAttempts: 3,
      timeoutMs: 7_200_000,
      idempotencyKey: 'once',
      waitingFor: expect.stringMatching(/./),
    });
    const again = await json([
      'submit',
      ...options,
      '--deadline',
      '1d',
      '--idempotency-key',
      'once',
      'hello.sh',
    ]);
    expect(again['id']).toBe(run['id']);
    const other = await pawl(['submit', '--idempotency-key', 'once', 'die.sh']);
    expect([other.code, other.stderr]).toEqual([1, expect.stringMatching(/^pawl: .*once/)]);
  });

  it('--batch submits a list, and tells what was refused', async () => {
    const good = { command: { file: 'true' } };
    const { code, stdout, stderr } = await pawl(['submit', '--batch', '-'], {
      input: JSON.stringify([good, { command: {} }, good]),
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^run_\S+\nrun_\S+\n$/);
    expect(stderr).toMatch(/^pawl: runs\[1\]: .*file/);
    writeFileSync(join(folder.path, 'batch.json'), JSON.stringify([good]));
    const { results } = await json<{ results: unknown }>(['submit', '--batch', 'batch.json']);
    expect(results).toMatchObject([{ run: { task: 'command' } }]);
    expect(await pawl(['submit', '--batch', 'hello.sh'])).toMatchObject({ code: 64, stdout: '' });
    expect(await pawl(['submit', '--batch', 'nowhere.json'])).toMatchObject({ code: 66, stdout: '' });
  });

  it.for<readonly [args: readonly string[], why: RegExp]>([
    [[], /^pawl: name a script, or use --command, --module or --python\n$/],
    [['--python', '--command', 'x'], /^pawl: give one of /],
    [['--module', 'report', 'x.sh'], /^pawl: a module takes --set/],
    [['--set', 'a=1', 'x.sh'], /^pawl: --set is for --module/],
    [['--set', 'nonsense', 'x.sh'], /^pawl: .*Expected name=value/],
    [['--priority', 'soon', 'x.sh'], /^pawl: .*low, normal, high, urgent/],
    [['--timeout', '5', 'x.sh'], /^pawl: .*Expected a duration such as/],
    [['--max-attempts', '0', 'x.sh'], /^pawl: .*Expected a whole number from 1 on/],
    [['--max-attempts', '1000000', 'hello.sh'], /^pawl: Expected `maxAttempts` to be/],
  ])('%j is used wrongly: 64', async ([args, why]) => {
    const { code, stdout, stderr } = await pawl(['submit', ...args]);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(why);
  });

  it('says that a script or program is not there', async () => {
    expect((await pawl(['submit', '--python', 'nowhere.py'])).code).toBe(66);
    const { code, stderr } = await pawl(['submit', 'nowhere.sh']);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^pawl: .*nowhere\.sh/);
  });
});

describe.concurrent('pawl', { timeout: 120_000 }, () => {
  it('ls lists runs, the newest first, and filters', async () => {
    const id = await submitAndWait('--key', 'listed', 'hello.sh', '--', 'list me', '9');
    const { code, stdout, stderr } = await pawl(['ls', '--key', 'listed']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^RUN +STATE +WHAT +CREATED +TOOK +NOTE$/),
      expect.stringMatching(
        new RegExp(
          `^${id}  failed  +hello\\.sh .*list me.* 9 +(?:now|\\d+ s ago)  +\\d+(?:\\.\\d)? m?s  .*exited with code 9`,
        ),
      ),
      '',
    ]);
    const page = await json([
      'ls',
      '--key',
      'listed',
      '--state',
      'failed,lost',
      '--task',
      'script',
      '--limit',
      '1',
    ]);
    expect(page).toMatchObject({ runs: [{ id, state: 'failed' }], nextCursor: null });
    const none = await pawl(['ls', '--key', 'listed', '--before', '2020-01-01', '--from', '2019-01-01']);
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('no such runs') });
    expect(await pawl(['ls', '--state', 'nonsense'])).toMatchObject({ code: 64, stdout: '' });
  });

  it('ls goes on where a page ended', async () => {
    for (let i = 0; i < 3; i += 1) await submit('--key', 'paged', 'hello.sh');
    const first = await pawl(['ls', '--key', 'paged', '--limit', '2']);
    const cursor = /there are more: --cursor (\S+)/.exec(first.stderr)?.[1] ?? '';
    const second = await json<{ runs: readonly unknown[] }>(['ls', '--key', 'paged', '--cursor', cursor]);
    expect(second.runs).toHaveLength(1);
  });

  it('ls --counts counts states', async () => {
    await submitAndWait('hello.sh');
    const { stdout } = await pawl(['ls', '--counts']);
    expect(stdout).toMatch(/^queued +\d+\n[^]*succeeded +[1-9]/m);
    expect(await json(['ls', '--counts'])).toMatchObject({ succeeded: expect.any(Number) });
  });

  it('show tells of a run and its attempts', async () => {
    const id = await submitAndWait('--max-attempts', '2', 'hello.sh', '--', 'x', '6');
    const { code, stdout } = await pawl(['show', id]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^run +${id}\nwhat +hello\\.sh x 6\ntask +script\nstate +failed\n`));
    expect(stdout).toMatch(
      /\nexit code +6\n[^]*\nATTEMPT +OUTCOME +STARTED[^\n]*\n +1 {2}failed[^]*\n +2 {2}failed/,
    );
    expect(await json(['show', id])).toMatchObject({ id, attempts: [{ number: 1 }, { number: 2 }] });
    expect(await pawl(['show', 'nowhere'])).toMatchObject({
      code: 66,
      stdout: '',
      stderr: expect.stringMatching(/^pawl: There is no run "nowhere"/),
    });
  });

  it('logs prints lines, the last of them, those of one stream, and bytes as they were', async () => {
    const id = await submitAndWait(
      '--command',
      'sh',
      '--',
      '-c',
      String.raw`for i in 1 2 3; do echo "out $i"; done; echo err >&2; printf '\377end'`,
    );
    const both = await pawl(['logs', id]);
    expect([both.code, both.stdout, both.stderr]).toEqual([0, 'out 1\nout 2\nout 3\n\uFFFDend', 'err\n']);
    expect((await pawl(['logs', '--stream', 'stderr', id])).stdout).toBe('');
    expect((await pawl(['logs', '--stream', 'stdout', '--tail', '10', id])).stderr).toBe('');
    const page = await json<{ entries: readonly unknown[] }>(['logs', '--tail', '2', id]);
    expect(page.entries).toHaveLength(2);
    expect((await pawl(['logs', '--since', '2099-01-01', id])).stdout).toBe('');
    expect((await pawl(['logs', '--timestamps', '--stream', 'stderr', id])).stderr).toMatch(
      /^\[\d{4}-\S+Z\] \[\w+\] err\n$/,
    );
    const raw = await pawl(['submit', '--wait', '--json', '--command', 'sh', '--', '-c', 'true']);
    expect(raw.code).toBe(0);
    const response = await fetch(`${service.url}/v1/runs/${id}/logs/download?stream=stdout`);
    writeFileSync(join(folder.path, 'expected'), Buffer.from(await response.arrayBuffer()));
    const copied = await runPawl(['run', 'copy.sh'], {
      cwd: prepare('copy.sh', `pawl="$1"; "$NODE" "$PAWL" logs --raw stdout ${id} > raw`),
      env: {
        PAWL_URL: service.url,
        NODE: process.execPath,
        PAWL: join(import.meta.dirname, '../bin/pawl.js'),
      },
    });
    expect(copied).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(folder.path, 'raw'))).toEqual(
      Buffer.from('out 1\nout 2\nout 3\n\xFFend', 'latin1'),
    );
    expect(readFileSync(join(folder.path, 'expected'))).toEqual(readFileSync(join(folder.path, 'raw')));
    expect((await pawl(['logs', '--raw', 'stdout', '--json', id])).code).toBe(64);
    expect((await pawl(['logs', 'nowhere'])).code).toBe(66);
    expect((await pawl(['logs', '--attempt', '9', id])).code).toBe(66);
  });

  it('cancel ends runs, tells each that it can not, and ends with the first failure', async () => {
    const [first, second] = [await submit('wait.sh'), await submit('wait.sh')];
    const { code, stdout, stderr } = await pawl([
      'cancel',
      first,
      'nowhere',
      second,
      '--reason',
      'wrong month',
    ]);
    expect(code).toBe(66);
    expect(stdout).toMatch(new RegExp(`^${first} .*cancelled.*\n${second} .*cancelled.*\n$`));
    expect(stderr).toMatch(/^pawl: There is no run "nowhere"/);
    expect(await pawl(['cancel', first])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/ended/),
    });
    expect(await json(['show', second])).toMatchObject({ cancelReason: 'wrong month' });
    const [third, fourth] = [await submit('wait.sh'), await submit('wait.sh')];
    expect(await json(['cancel', third])).toMatchObject({ id: third });
    const fifth = await submit('wait.sh');
    expect(await json(['cancel', fourth, fifth])).toMatchObject([{ id: fourth }, { id: fifth }]);
  });

  it('retry makes a new run, and rm forgets one', async () => {
    const id = await submitAndWait('hello.sh');
    const again = (await pawl(['retry', id])).stdout.trim();
    expect(again).not.toBe(id);
    expect(await json(['show', again])).toMatchObject({ title: 'hello.sh' });
    expect(await json(['retry', id])).toMatchObject({ title: 'hello.sh' });
    const running = await submit('wait.sh');
    expect((await pawl(['retry', running])).code).toBe(1);
    expect((await pawl(['rm', running])).code).toBe(1);
    await pawl(['cancel', running]);
    expect(await pawl(['rm', id])).toEqual({ code: 0, stdout: `${id} removed\n`, stderr: '' });
    expect((await pawl(['show', id])).code).toBe(66);
    const other = await submitAndWait('hello.sh');
    expect(await json(['rm', other])).toEqual({ id: other, removed: true });
  });

  it('exercise lists, and shows what the learner begins with', async () => {
    const [listed, shown, unknown] = await Promise.all([
      pawl(['exercise', 'ls', '--json']),
      pawl(['exercise', 'show', 'sum-of-evens']),
      pawl(['exercise', 'show', 'nobody']),
    ]);
    const { exercises } = JSON.parse(listed.stdout) as { readonly exercises: readonly { id: string }[] };
    expect(exercises.map(({ id }) => id)).toEqual(['greeting', 'shopping-cart', 'sum-of-evens']);
    expect(shown.stdout).toContain('def sum_of_evens(numbers):');
    expect(shown.stdout).not.toContain('assert');
    expect(unknown).toMatchObject({ code: 66, stdout: '' });
  });

  it('module lists, shows, configures and runs', async () => {
    expect((await pawl(['module', 'ls'])).stdout).toMatch(/^MODULE +NAME [^\n]*\nreport +Monthly report /);
    expect(await json(['module', 'ls'])).toMatchObject({ modules: [{ id: 'report' }] });
    expect((await pawl(['module', 'show', 'report'])).stdout).toMatch(
      /^module +report\n[^]*\nPARAMETER [^\n]*\nmonth +number +yes +- +from 1, up to 12\nverbose +checkbox +no [^\n]*\nstyle +select +no +short +one of long, short\n$/,
    );
    expect(await json(['module', 'show', 'report'])).toMatchObject({ parameters: [{}, {}, {}] });

    const run = await pawl([
      'module',
      'run',
      'report',
      '--set',
      'month=5',
      '--set',
      'verbose=yes',
      '--follow',
    ]);
    expect([run.code, run.stdout]).toEqual([
      0,
      expect.stringMatching(/^--month=5 --verbose --style=short\n/),
    ]);
    expect(await json(['module', 'run', 'report', '--set', 'month=6'])).toMatchObject({
      task: 'module:report',
    });
    expect((await pawl(['submit', '--wait', '--module', 'report', '--set', 'month=7'])).code).toBe(0);
    for (const wrong of ['month=13', 'month=May', 'verbose=perhaps', 'nothing=1']) {
      const refused = await pawl(['module', 'run', 'report', '--set', wrong]);
      expect([wrong, refused.code, refused.stderr]).toEqual([
        wrong,
        64,
        expect.stringContaining(wrong.split('=')[0] ?? ''),
      ]);
    }
    expect((await pawl(['module', 'run', 'nowhere', '--set', 'a=1'])).code).toBe(66);

    const saved = await json<{ parameters: unknown }>(['module', 'config', 'report', '--set', 'month=8']);
    expect(saved.parameters).toMatchObject({ month: 8, style: 'short' });
    expect((await pawl(['module', 'config', 'report'])).stdout).toMatch(/^month +8$/m);
    expect((await pawl(['module', 'run', 'report', '--wait'])).code).toBe(0);
    expect((await pawl(['module', 'config', 'report', '--clear'])).stdout).not.toMatch(/month/);
  });

  it('schedule adds, lists, shows, replaces and removes', async () => {
    const zone = ['--time-zone', 'America/New_York', '--overlap', 'skip'];
    const added = await pawl([
      'schedule',
      'add',
      'nightly',
      '--cron',
      '30 2 * * *',
      ...zone,
      'hello.sh',
      '--',
      'x',
    ]);
    expect([added.code, added.stderr]).toEqual([0, '']);
    expect(added.stdout).toMatch(/^schedule +nightly\nwhen +.*02:30.*\nnext +\d{4}-\d\d-\d\dT\S+Z \(in /);
    expect((await pawl(['schedule', 'add', 'nightly', '--every', '1h', 'hello.sh'])).code).toBe(1);
    expect((await pawl(['schedule', 'ls'])).stdout).toMatch(/^SCHEDULE +WHEN[^\n]*\n[^]*nightly +.*02:30/);
    expect(await json(['schedule', 'ls'])).toMatchObject({
      schedules: expect.arrayContaining([expect.objectContaining({ id: 'nightly' })]),
    });
    expect((await pawl(['schedule', 'show', 'nightly'])).stdout).toMatch(/^schedule +nightly\n/);
    expect(await json(['schedule', 'show', 'nightly'])).toMatchObject({
      schedule: { cron: '30 2 * * *', overlap: 'skip', run: { script: { args: ['x'] } } },
    });
    expect(
      await json(['schedule', 'add', 'nightly', '--replace', '--every', '15m', 'hello.sh']),
    ).toMatchObject({
      schedule: { cron: null, everyMs: 900_000 },
    });
    expect(await pawl(['schedule', 'rm', 'nightly'])).toEqual({
      code: 0,
      stdout: 'nightly removed\n',
      stderr: '',
    });
    expect((await pawl(['schedule', 'show', 'nightly'])).code).toBe(66);
    await pawl(['schedule', 'add', 'other', '--every', '1h', 'hello.sh']);
    expect(await json(['schedule', 'rm', 'other'])).toEqual({ id: 'other', removed: true });
  });

  it.for(
    [
      ['--every', '15m', '--cron', '* * * * *'],
      ['--cron', 'nonsense'],
      ['--every', '1'],
      ['--every', '15m', '--overlap', 'perhaps'],
    ].map((timing) => [timing] as const),
  )('schedule add %j is used wrongly: 64', async ([timing]) => {
    const { code, stdout, stderr } = await pawl(['schedule', 'add', 'wrong', ...timing, 'hello.sh']);
    expect([code, stdout, stderr]).toEqual([64, '', expect.stringMatching(/^pawl: /)]);
  });

  it('schedule preview shows what the clocks do, of schedules that are saved and of others', async () => {
    const timing = ['--cron', '30 2 * * *', '--time-zone', 'America/New_York'];
    const preview = await pawl([
      'schedule',
      'preview',
      ...timing,
      '--from',
      '2026-03-07T00:00Z',
      '--count',
      '2',
    ]);
    expect(preview.stdout.split('\n').slice(1, 3)).toEqual([
      expect.stringMatching(/^2026-03-07T02:30:00-05:00 {2}2026-03-07T07:30:00\.000Z/),
      expect.stringMatching(/^2026-03-08T03:00:00-04:00 .*02:30 does not exist/),
    ]);
    await pawl(['schedule', 'add', 'previewed', ...timing, 'hello.sh']);
    expect(await json(['schedule', 'preview', 'previewed', '--count', '3'])).toMatchObject({
      slots: [{}, {}, {}],
    });
    expect((await pawl(['schedule', 'preview'])).code).toBe(64);
    expect((await pawl(['schedule', 'preview', 'previewed', '--every', '5m'])).code).toBe(64);
  });

  it('schedule pauses, resumes and skips', async () => {
    await pawl(['schedule', 'add', 'paused', '--cron', '0 5 1 * *', 'hello.sh']);
    const reason = ['--reason', 'the disk is full'];
    expect((await pawl(['schedule', 'pause', 'paused', ...reason])).stdout).toMatch(
      /paused because +the disk is full/,
    );
    expect((await pawl(['schedule', 'ls'])).stdout).toMatch(/^paused .* paused .* the disk is full$/m);
    expect((await pawl(['schedule', 'pause', 'paused'])).code).toBe(64);
    expect(await json(['schedule', 'resume', 'paused'])).toMatchObject({ pause: null });
    expect(await json(['schedule', 'pause', 'paused', ...reason])).toMatchObject({
      pause: { reason: 'the disk is full' },
    });
    expect((await pawl(['schedule', 'resume', 'paused'])).stdout).not.toContain('because');
    expect((await pawl(['schedule', 'skip-next', 'paused'])).stdout).toMatch(/^skips +\d{4}-/m);
    expect(await json(['schedule', 'skip-next', 'paused', '--undo'])).toMatchObject({ skipsAt: null });
    expect(await json(['schedule', 'skip-next', 'paused'])).toMatchObject({ skipsAt: expect.any(String) });
    expect((await pawl(['schedule', 'skip-next', 'paused', '--undo'])).stdout).not.toContain('skips');
  });

  it('schedule runs now, and what the past has missed', async () => {
    await pawl(['schedule', 'add', 'missed', '--every', '15m', 'hello.sh', '--', 'y']);
    const { runId } = await json<{ runId: string }>(['schedule', 'run', 'missed']);
    expect(await json(['show', runId])).toMatchObject({ title: 'hello.sh y' });
    await pawl(['schedule', 'add', 'missed-too', '--every', '1d', 'hello.sh']);
    const other = (await pawl(['schedule', 'run', 'missed-too'])).stdout.trim();
    expect(other).toMatch(/^run_\S+$/);
    expect(await json(['ls', '--schedule', 'missed-too'])).toMatchObject({ runs: [{ id: other }] });
    expect((await pawl(['ls', '--schedule', 'missed-too'])).stdout).toMatch(
      new RegExp(`^RUN [^\\n]*\\n${other} [^\\n]*\\n$`),
    );
    expect((await pawl(['show', other])).stdout).toMatch(/^schedule +missed-too$/m);
    const backfill = ['schedule', 'backfill', 'missed', '--from', '2026-03-01', '--to'];
    expect(await json([...backfill, '2026-03-01T01:00:00Z', '--dry-run'])).toEqual({
      dryRun: true,
      slots: 4,
    });
    expect((await pawl([...backfill, '2026-03-01T01:00:00Z', '--dry-run'])).stdout).toBe(
      '4 slots would be run, but for those that had their run\n',
    );
    expect((await pawl([...backfill, '2026-03-01T01:00:00Z', '--at-once', '2'])).stdout).toMatch(
      /^4 slots are being run/,
    );
    expect((await pawl([...backfill, '2099-01-01'])).code).toBe(64);
  });

  it('settings shows those in force', async () => {
    const { stdout } = await pawl(['settings']);
    expect(stdout).toMatch(/^SETTING +VALUE +WHAT\n/);
    expect(stdout).toContain(service.dataDir);
    expect(await json(['settings'])).toMatchObject({
      settings: expect.arrayContaining([
        expect.objectContaining({ name: 'PAWL_RATE_LIMIT_PER_MINUTE', value: 'off', default: '30' }),
      ]),
    });
  });

  it('maintenance lists jobs and runs one', async () => {
    expect((await pawl(['maintenance', 'ls'])).stdout).toMatch(
      /^JOB +EVERY +LAST[^\n]*\n[^]*temp-files +6 h /,
    );
    expect(await json(['maintenance', 'ls'])).toMatchObject({
      jobs: expect.arrayContaining([expect.objectContaining({ job: 'temp-files' })]),
    });
    expect((await pawl(['maintenance', 'run', 'temp-files'])).stdout).toMatch(/^temp-files done: /);
    expect(await json(['maintenance', 'run', 'system-health'])).toMatchObject({ job: 'system-health' });
    expect((await pawl(['maintenance', 'run', 'nowhere'])).code).toBe(66);
  });

  it.skipIf(NO_PYTHON)(`pool and worker show processes, and replace them${NO_PYTHON}`, async () => {
    await pawl(['submit', '--wait', '--python', '-'], { input: 'print(1)' });
    expect((await pawl(['pool', 'ls'])).stdout).toMatch(/^POOL +WORKERS [^\n]*\npython +\d/);
    expect((await pawl(['pool', 'scale', 'python', '2'])).stdout).toBe('python is scaled to 2\n');
    expect(await json(['pool', 'ls'])).toMatchObject({ pools: [{ name: 'python', workers: 2 }] });
    const { workers } = await json<{ workers: readonly { id: string; kind: string }[] }>(['worker', 'ls']);
    const worker = workers.find(({ kind }) => kind === 'pool')?.id ?? '';
    expect((await pawl(['worker', 'ls'])).stdout).toContain(`\n${worker} `);
    expect((await pawl(['worker', 'recycle', worker])).stdout).toBe(`${worker} is being replaced\n`);
    expect(await json(['pool', 'recycle', 'python'])).toMatchObject({ recycled: expect.any(Number) });
    expect((await pawl(['pool', 'recycle', 'python'])).stdout).toMatch(
      /^\d+ workers of python are being replaced\n$/,
    );
    expect(await json(['pool', 'scale', 'python', '2'])).toMatchObject({ name: 'python' });
    const { workers: next } = await json<{ workers: readonly { id: string; kind: string }[] }>([
      'worker',
      'ls',
    ]);
    const another = next.find(({ kind }) => kind === 'pool')?.id ?? '';
    expect(await json(['worker', 'recycle', another])).toMatchObject({ recycled: 1 });
    expect((await pawl(['pool', 'scale', 'python', 'many'])).code).toBe(64);
    expect((await pawl(['pool', 'scale', 'nowhere', '1'])).code).toBe(66);
    expect((await pawl(['worker', 'recycle', 'nowhere'])).code).toBe(66);
    await pawl(['submit', '--wait', '--python', '-'], { input: 'print(1)' });
    const { workers: last } = await json<{ workers: readonly { id: string; kind: string; state: string }[] }>(
      ['worker', 'ls'],
    );
    const idle = last.filter(({ kind, state }) => kind === 'pool' && state === 'ready');
    expect((await pawl(['worker', 'drain', idle[0]?.id ?? ''])).stdout).toBe(`${idle[0]?.id} ends\n`);
    expect(await json(['worker', 'drain', idle[1]?.id ?? ''])).toEqual({ runId: null });
    expect((await pawl(['worker', 'drain', 'nowhere'])).code).toBe(66);
  });

  it('doctor finds the service, and the store that it has open', async () => {
    const { stdout } = await pawl(['doctor', '--json'], { env: { PAWL_DATA_DIR: service.dataDir } });
    const { findings } = JSON.parse(stdout) as { findings: readonly unknown[] };
    expect(findings).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ name: 'store', ok: true, detail: expect.stringMatching(/in use/) }),
        expect.objectContaining({ name: 'service', ok: true, detail: expect.stringContaining(service.url) }),
      ]),
    );
  });

  it('openapi prints what the service says of itself', async () => {
    const printed: unknown = JSON.parse((await pawl(['openapi'])).stdout);
    expect(printed).toEqual((await service.request('GET', '/openapi.json')).body);
  });

  it('completes what the service has', async () => {
    const id = await submit('wait.sh');
    const complete = async (...words: readonly string[]): Promise<string> =>
      (await pawl(['complete', '--', ...words])).stdout;
    expect(await complete('cancel', id.slice(0, 8))).toContain(`${id}\trunning: wait.sh`);
    expect(await complete('rm', id)).toBe('');
    expect(await complete('module', 'run', 're')).toBe('report\tMonthly report\n');
    expect(await complete('submit', '--module', '')).toBe('report\tMonthly report\n');
    await pawl(['cancel', id]);
    expect(await complete('rm', id)).toContain(id);
  });
});

/** Writes a script. @returns its folder */
function prepare(name: string, content: string): string {
  writeFileSync(join(folder.path, name), content);
  return folder.path;
}
