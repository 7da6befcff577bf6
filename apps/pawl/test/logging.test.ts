import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** What the built logger writes for two calls, on stderr. */
function logged(isTerminal: boolean): string {
  const logging = new URL('../dist/logging.js', import.meta.url).href;
  const code = `
    const { createLogger } = await import(${JSON.stringify(logging)});
    const logger = await createLogger({ level: 'info', isTerminal: ${isTerminal} });
    logger.debug('not this');
    logger.warn({ runId: 'run_1' }, 'The disk is nearly full.');
    // The last line is there, however the process ends.
    process.kill(process.pid, 'SIGKILL');
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  return stderr;
}

describe('the log', () => {
  it('is a JSON object a line, for programs', () => {
    expect(JSON.parse(logged(false))).toMatchObject({
      level: 40,
      runId: 'run_1',
      msg: 'The disk is nearly full.',
    });
  });

  it('is written for people where they look at it', () => {
    // oxlint-disable-next-line no-control-regex -- Colours are control characters.
    const plain = logged(true).replaceAll(/\u001B\[\d+m/g, '');
    expect(plain).toMatch(/^\[\d\d:\d\d:\d\d\] WARN: The disk is nearly full\.\n {4}runId: "run_1"\n$/);
  });
});
