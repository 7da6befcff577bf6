import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './processes.ts';
import { pawl, pawlOnTerminal } from './pawl-command.ts';
import { type Service, startService } from './start-service.ts';

const NO_TERMINAL =
  spawnSync('python3', ['-c', 'import pty, termios']).status === 0
    ? ''
    : ' (skipped: there is no python3 here that can open a terminal)';

const ESCAPE = '\u001B[';
const GREEN = `${ESCAPE}32m`;
const KEY = 'wide';

let service: Service;
beforeAll(async () => {
  service = await startService();
  const args = ['submit', '--wait', '--key', KEY, '--command', 'true', '--', 'x'.repeat(90)];
  await pawl(args, { env: { PAWL_URL: service.url } });
});
afterAll(() => service.dispose());

describe.concurrent(`on a terminal${NO_TERMINAL}`, { timeout: 120_000, skip: NO_TERMINAL !== '' }, () => {
  const show = async (args: readonly string[], columns = 100, env = {}): Promise<string> => {
    const { code, stdout } = await pawlOnTerminal(args, { columns, env: { PAWL_URL: service.url, ...env } })
      .exited;
    expect(code).toBe(0);
    return stdout;
  };

  it.for([80, 100, 120])('a table is cut to %i columns, with …', async (columns) => {
    const lines = (await show(['ls', '--key', KEY, '--no-color'], columns)).trimEnd().split('\r\n');
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('…');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('there are colours, unless they are not wanted', async () => {
    expect(await show(['ls'])).toContain(`${GREEN}succeeded`);
    for (const [args, env] of [
      [['ls'], { NO_COLOR: '1' }],
      [['ls', '--no-color'], {}],
      [['--no-color', 'ls'], {}],
      [['ls'], { TERM: 'dumb' }],
    ] as const) {
      expect(await show(args, 100, env)).not.toContain(ESCAPE);
    }
  });

  it('what a program printed can not change the terminal', async () => {
    const hostile = String.raw`printf '\033[2J\033[31mred\033]0;title\007\n'; printf end`;
    const shown = await show(['submit', '--follow', '--command', 'sh', '--', '-c', hostile]);
    expect(shown).toContain(`\n[2J${ESCAPE}31mred]0;title${ESCAPE}0m\r\nend\r\npawl: run_`);
  });

  it('a line tells how far a run is while it is waited for, and is gone at the end', async () => {
    const args = ['submit', '--wait', '--command', 'sh', '--', '-c', 'echo working; sleep 2.5'];
    const command = pawlOnTerminal(args, { columns: 100, env: { PAWL_URL: service.url } });
    await until('it says what runs', () => /running · [^\r\n]* · working/.test(command.stdout()), 30_000);
    const { code, stdout } = await command.exited;
    expect(code).toBe(0);
    // The line is erased before anything else is printed.
    expect(stdout.slice(stdout.lastIndexOf(ESCAPE))).toMatch(/^.\[2Krun_\S+ succeeded after [^\r\n]+\r\n$/);
  });
});

describe.concurrent('in a pipe', { timeout: 120_000 }, () => {
  const env = (): Readonly<Record<string, string>> => ({ PAWL_URL: service.url });

  it('nothing is cut, and nothing has a colour', async () => {
    const { stdout } = await pawl(['ls', '--key', KEY], { env: env() });
    expect(stdout).toContain('x'.repeat(90));
    expect(stdout).not.toContain(ESCAPE);
  });

  it('there are colours where they are asked for', async () => {
    const { stdout } = await pawl(['ls'], { env: { ...env(), FORCE_COLOR: '1' } });
    expect(stdout).toContain(`${GREEN}succeeded`);
  });

  it('nothing tells how far a run is', async () => {
    const { stdout, stderr } = await pawl(['submit', '--wait', '--command', 'sleep', '--', '1.5'], {
      env: env(),
    });
    expect(stdout).toMatch(/^run_\S+ succeeded after [^\r\n]+\n$/);
    expect(stderr).toMatch(/^pawl: submitted [^\r\n]+\n$/);
  });
});
